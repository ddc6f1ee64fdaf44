import Foundation
import KilnModel
import Testing

@testable import KilnAPI
@testable import KilnCommands

@Suite("Programs in workspaces", .serialized, .timeLimit(.minutes(1))) struct SessionTests {
    /// A server that sends input back as output and ends as told after it.
    private func echo(_ exchange: TestServer.Exchange, ending: SessionFrame) async throws {
        var decoder = SessionFrameDecoder()
        try await exchange.begin(type: "application/octet-stream")
        while let piece = try await exchange.next() {
            decoder.append(piece)
            while let frame = try decoder.next() {
                switch frame {
                case .input(let bytes): try await exchange.write(SessionFrame.output(bytes).encoded)
                case .signal(let number): try await exchange.write(SessionFrame.errorOutput(Array("signal \(number)\n".utf8)).encoded)
                case .inputEnd:
                    try await exchange.write(ending.encoded)
                    return try await exchange.end()
                default: break
                }
            }
        }
    }

    @Test("get standard input, and end kl with their status") func execution() async throws {
        try await TestServer.run({ try await echo($0, ending: .exit(7)) }) { server in
            let pipe = Pipe()
            let text = String(repeating: "hello\n", count: 50_000)
            async let run = kl("ws", "exec", "hello", "--", "cat", "-n", at: server.endpoint, input: pipe.fileHandleForReading.fileDescriptor)
            try pipe.fileHandleForWriting.write(contentsOf: Data(text.utf8))
            try pipe.fileHandleForWriting.close()
            let (status, printed) = await run
            #expect(status == 7)
            #expect(printed.output == text)
        }
    }

    @Test("run in services too") func service() async throws {
        try await TestServer.run({ try await echo($0, ending: .exit(3)) }) { server in
            let null = try #require(FileHandle(forReadingAtPath: "/dev/null"))
            let run = await kl("env", "exec", "anna/shop", "db", "--", "psql", "-l", at: server.endpoint, input: null.fileDescriptor)
            #expect(run.status == 3, "\(run.printed.error)")
            #expect(await server.seen.requests[0].uri == "/api/v1/environments/shop/sessions?owner=anna&service=db")
            #expect(await kl("env", "exec", "shop", "db", at: server.endpoint).status == 2)
        }
    }

    @Test("that end while kl waits for input end kl too") func inputStillOpen() async throws {
        try await TestServer.run({ exchange in
            try await exchange.begin(type: "application/octet-stream")
            try await exchange.write(SessionFrame.exit(0).encoded)
            try await exchange.end()
        }) { server in
            let pipe = Pipe()
            let run = await kl("ws", "exec", "hello", "--", "true", at: server.endpoint, input: pipe.fileHandleForReading.fileDescriptor)
            #expect(run.status == 0)
            try pipe.fileHandleForWriting.close()
        }
    }

    @Test("that cannot start say why") func failure() async throws {
        let error = try JSONEncoder().encode(KilnError(.commandNotFound, "There is no program nope.", hint: "apt-get install nope"))
        try await TestServer.run({ try await echo($0, ending: .failure([UInt8](error))) }) { server in
            let null = try #require(FileHandle(forReadingAtPath: "/dev/null"))
            let run = await kl("ws", "exec", "hello", "--", "nope", at: server.endpoint, input: null.fileDescriptor)
            #expect(run.status == 1)
            #expect(run.printed.error == "error: There is no program nope.\n  try: apt-get install nope\n")
        }
    }

    @Test("of a workspace that is not there exit 3") func refused() async throws {
        let problem = try Fixtures.problem(KilnError(.notFound, "There is no workspace hello."))
        try await TestServer.run({ exchange in
            try await exchange.begin(.notFound, type: "application/problem+json", length: problem.utf8.count)
            try await exchange.write(Array(problem.utf8))
            try await exchange.end()
        }) { server in
            let null = try #require(FileHandle(forReadingAtPath: "/dev/null"))
            #expect(await kl("ws", "exec", "hello", "--", "x", at: server.endpoint, input: null.fileDescriptor).status == 3)
        }
    }

    @Test("that break off end kl with 1") func brokenOff() async throws {
        try await TestServer.run({ exchange in
            try await exchange.begin(type: "application/octet-stream")
            throw TestServer.HangUp()
        }) { server in
            let pipe = Pipe()
            #expect(await kl("ws", "exec", "hello", "--", "x", at: server.endpoint, input: pipe.fileHandleForReading.fileDescriptor).status == 1)
            try pipe.fileHandleForWriting.close()
        }
    }

    @Test("get the signals that are sent to kl") func signals() async throws {
        try await TestServer.run({ try await echo($0, ending: .exit(0)) }) { server in
            let pipe = Pipe()
            let printed = Printed()
            let context = Context(
                environment: ["KILN_URL": server.endpoint.description, "HOME": "/nonexistent"], output: printed.value,
                input: Input(descriptor: pipe.fileHandleForReading.fileDescriptor, ask: nil), workspaceSocket: "/nonexistent", now: { 0 }
            )
            async let status = KlProgram.run(["ws", "exec", "hello", "--", "x"], in: context)
            // The first echo shows that the session, and with it the handler of the signal, is there.
            try pipe.fileHandleForWriting.write(contentsOf: Data("x".utf8))
            while printed.output.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            try await Task.sleep(for: .milliseconds(200))
            kill(getpid(), SIGUSR1)
            while printed.error.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            #expect(printed.error == "signal 10\n")
            try pipe.fileHandleForWriting.close()
            #expect(await status == 0)
        }
    }

    @Test("with -t need a terminal") func noTerminal() async throws {
        let null = try #require(FileHandle(forReadingAtPath: "/dev/null"))
        #expect(await kl("ws", "exec", "hello", "-t", "--", "top", input: null.fileDescriptor).status == 2)
    }
}
