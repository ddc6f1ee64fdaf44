import Foundation
import KilnModel
import NIOHTTP1
import Testing

@testable import KilnAPI
@testable import KilnCommands

@Suite("Waiting for an effect", .serialized, .timeLimit(.minutes(1))) struct WaitTests {
    /// Answers a POST with a fresh workspace, and the event stream with `script`, one list of events per connection.
    private func run(_ script: [[ResourceEvent]], _ arguments: String...) async throws -> (status: Int32, printed: Printed, streams: Int) {
        let streams = Streams()
        return try await TestServer.run({ exchange in
            guard exchange.path == "/api/v1/events" else { return try await exchange.answer(.created, Fixtures.json(Fixtures.workspace())) }
            let number = await streams.next()
            try await exchange.begin(type: "text/event-stream")
            for event in script[min(number, script.count - 1)] { try await exchange.write(Fixtures.event(event)) }
            if number < script.count - 1 { throw TestServer.HangUp() }
            try await Task.sleep(for: .seconds(30))
        }) { server in
            let printed = Printed()
            let context = Context(
                environment: ["KILN_URL": server.endpoint.description, "HOME": "/nonexistent"], output: printed.value,
                input: Input(descriptor: -1, ask: nil), workspaceSocket: "/nonexistent", now: { 0 }
            )
            let status = await KlProgram.run(arguments, in: context)
            return (status, printed, await streams.count)
        }
    }

    private actor Streams {
        private(set) var count = 0
        func next() -> Int {
            count += 1
            return count - 1
        }
    }

    private let starting = ResourceEvent.workspace(Fixtures.workspace(observed: 1, phase: .starting))
    private let running = ResourceEvent.workspace(Fixtures.workspace(observed: 1, phase: .running))

    @Test("create returns once the workspace runs, quietly when that was quick") func created() async throws {
        let run = try await run([[starting, running]], "ws", "create", "hello")
        #expect(run.status == 0)
        #expect(run.printed.output == "Workspace hello is running. Enter it with: kl workspace shell hello\n")
        #expect(run.printed.error.isEmpty)
    }

    @Test("--json prints the resource as it is in the end") func json() async throws {
        let run = try await run([[starting, running]], "ws", "resume", "hello", "--json")
        #expect(try JSONDecoder().decode(Workspace.self, from: Data(run.printed.output.utf8)).status.phase == .running)
    }

    @Test("--no-wait asks for no events") func noWait() async throws {
        #expect(try await run([[]], "ws", "create", "hello", "--no-wait").streams == 0)
    }

    @Test("a failure exits 1 with its reason and hint") func failed() async throws {
        let reason = Reason(code: "image-not-found", message: "There is no image x.", hint: "podman images")
        let event = ResourceEvent.workspace(Fixtures.workspace(observed: 1, phase: .failed, reason: reason))
        let run = try await run([[starting, event]], "ws", "create", "hello")
        #expect(run.status == 1)
        #expect(run.printed.error == "error: Workspace hello failed: There is no image x.\n  try: podman images\n")
    }

    @Test("the limit exits 6, and the work goes on; meanwhile it says where it is") func timedOut() async throws {
        let run = try await run([[starting]], "ws", "create", "hello", "--timeout", "2")
        #expect(run.status == 6)
        #expect(run.printed.error.hasPrefix("workspace hello: Starting\nerror: Waiting for workspace hello took longer than 2 s"))
    }

    @Test("a stream that breaks is opened again, as kilnd may restart") func broken() async throws {
        let run = try await run([[starting], [], [running]], "ws", "create", "hello")
        #expect(run.status == 0)
        #expect(run.streams == 3)
    }

    @Test("delete returns when the resource is gone") func deleted() async throws {
        let run = try await run([[.deleted(kind: .workspace, id: Fixtures.id)]], "ws", "delete", "hello", "--yes")
        #expect(run.status == 0)
        #expect(run.printed.output == "Workspace hello is deleted.\n")
    }

    @Test("delete needs no event when the resource is gone at once") func goneAtOnce() async throws {
        try await TestServer.run({ exchange in
            switch (exchange.head.method, exchange.number) {
            case (.GET, 0): try await exchange.answer(Fixtures.json(Fixtures.workspace()))
            case (.DELETE, 1): try await exchange.answer(.accepted, "{}")
            default: try await exchange.answer(.notFound, type: "application/problem+json", Fixtures.problem(KilnError(.notFound, "No.")))
            }
        }) { server in
            #expect(await kl("ws", "rm", "hello", "-y", at: server.endpoint).status == 0)
        }
    }
}
