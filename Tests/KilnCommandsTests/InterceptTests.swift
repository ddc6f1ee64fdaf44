import Foundation
import KilnModel
import NIOHTTP1
import Synchronization
import Testing

@testable import KilnAPI
@testable import KilnCommands

@Suite("kl intercept", .serialized, .timeLimit(.minutes(1))) struct InterceptTests {
    /// A workspace that intercepts api:8080 to 3000.
    private static func workspace(
        _ phase: InterceptStatus.Phase?, version: Int = 2, observed: Int = 2, reason: String? = nil, fallback: Bool = true, wanted: Bool = true
    ) -> Workspace {
        var workspace = Fixtures.workspace(version: version, observed: observed, phase: .running)
        workspace.spec.connection = Fixtures.shop
        let intercept = Intercept(service: try! Name("api"), port: ServicePort(8080), target: 3000, fallback: fallback, since: 1000)
        if wanted { workspace.spec.intercepts = [intercept] }
        let why = reason.map { Reason(code: "no-listener", message: $0, hint: "kl mend") }
        if let phase { workspace.status.intercepts = [InterceptStatus(intercept, phase, reason: why, since: 1000)] }
        return workspace
    }

    private static var shop: Environment {
        var shop = Fixtures.environment(observed: 1, phase: .running)
        let image = ServiceImage.reference(try! ImageReference("x"))
        shop.spec.services = [
            Service(name: try! Name("api"), addressIndex: 1, image: image, ports: [ServicePort(8080), ServicePort(53, .udp)]),
            Service(name: try! Name("db"), addressIndex: 2, image: image, ports: [ServicePort(5432)]),
        ]
        return shop
    }

    /// What kilnd was sent, and what it answers.
    private final class Script: Sendable {
        let bodies = Mutex<[String]>([])
        let refusals: Mutex<[KilnError]>
        let asked: Workspace
        let events: [Workspace]

        init(_ asked: Workspace, events: [Workspace] = [], refusals: [KilnError] = []) {
            self.asked = asked
            self.events = events
            self.refusals = Mutex(refusals)
        }

        func answer(_ exchange: TestServer.Exchange) async throws {
            switch exchange.path.split(separator: "/").last {
            case "intercept", "release":
                let body = String(decoding: try await exchange.body(), as: UTF8.self)
                bodies.withLock { $0.append(body) }
                if let refusal = refusals.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                    let status = HTTPResponseStatus(statusCode: refusal.code.category.httpStatus)
                    return try await exchange.answer(status, type: "application/problem+json", Fixtures.problem(refusal))
                }
                try await exchange.answer(.accepted, Fixtures.json(asked))
            case "events":
                try await exchange.begin(type: "text/event-stream")
                for workspace in events { try await exchange.write(Fixtures.event(.workspace(workspace))) }
                try await Task.sleep(for: .seconds(30))
            case "report":
                let report = WorkspaceReport(workspace: asked, workmachine: try Name("local"), usage: nil, environment: InterceptTests.shop)
                try await exchange.answer(Fixtures.json(report))
            default: throw TestServer.HangUp()
            }
        }

        var wishes: [InterceptWish] {
            get throws { try bodies.withLock { $0 }.map { try JSONDecoder().decode(StartIntercept.self, from: Data($0.utf8)).wish } }
        }
    }

    private func run(
        _ script: Script, _ arguments: String, answers: [String]? = nil
    ) async throws -> (status: Int32, printed: Printed, paths: [String]) {
        let ask = answers.map { Answers($0).ask }
        return try await TestServer.run({ try await script.answer($0) }) { server in
            let printed = Printed()
            let context = Context(
                environment: ["KILN_URL": server.endpoint.description, "HOME": "/nonexistent"], output: printed.value,
                input: Input(descriptor: -1, ask: ask), workspaceSocket: "/nonexistent", now: { 1060 }
            )
            let status = await KlProgram.run(arguments.split(separator: " ").map(String.init), in: context)
            let paths = await server.seen.requests.map { request in String(request.uri.prefix { $0 != "?" }) }
            return (status, printed, paths)
        }
    }

    private final class Answers: Sendable {
        private let left: Mutex<[String]>
        init(_ answers: [String]) { left = Mutex(answers) }
        var ask: @Sendable (String) -> String? { { _ in self.left.withLock { $0.isEmpty ? nil : $0.removeFirst() } } }
    }

    @Test("start sends one request, follows the events, and returns once it is active") func active() async throws {
        let script = Script(Self.workspace(.starting, observed: 1), events: [Self.workspace(.starting, observed: 1), Self.workspace(.active)])
        let run = try await run(script, "intercept start api --port 8080:3000 --workspace hello")
        #expect(run.status == 0)
        #expect(run.printed.output == "api:8080 reaches port 3000 of workspace hello.\n")
        #expect(run.printed.error.isEmpty)
        #expect(run.paths == ["/api/v1/workspaces/hello/intercept", "/api/v1/events"])
        let wish = InterceptWish(service: try Name("api"), ports: [.init(number: 8080, target: 3000)])
        #expect(try script.wishes == [wish])
    }

    @Test("start needs no events for what is so already") func settled() async throws {
        let run = try await run(Script(Self.workspace(.active)), "i start api --port 3000 --workspace hello")
        #expect(run.status == 0)
        #expect(run.paths == ["/api/v1/workspaces/hello/intercept"])
    }

    @Test("waiting for a listener is a success that says so; failing is not") func waiting() async throws {
        let waiting = Self.workspace(.waiting, reason: "waiting for a listener on 3000")
        let run1 = try await run(Script(Self.workspace(.starting, observed: 1), events: [waiting]), "i start api --workspace hello")
        #expect(run1.status == 0)
        #expect(run1.printed.output == "api:8080: waiting for a listener on 3000; until then the original answers.\n")
        let failing = Self.workspace(.failing, reason: "no answer")
        let run2 = try await run(Script(Self.workspace(.starting, observed: 1), events: [failing]), "i start api --workspace hello")
        #expect(run2.status == 1)
        #expect(run2.printed.error == "error: The intercept of api failed: no answer\n  try: kl mend\n")
        let lost = Self.workspace(.lost, reason: "anna/other took it", wanted: false)
        let run3 = try await run(Script(Self.workspace(.starting, observed: 1), events: [lost]), "i start api --workspace hello")
        #expect(run3.status == 1)
        #expect(run3.printed.error.contains("anna/other took it"))
    }

    @Test("without fallback it says what becomes of callers") func noFallback() async throws {
        let script = Script(Self.workspace(.active, fallback: false))
        let run = try await run(script, "i start api --no-fallback --existing cut --take-over --workspace hello")
        #expect(run.printed.output == "api:8080 reaches port 3000 of workspace hello. While nothing listens there, callers are refused.\n")
        let wish = try #require(try script.wishes.first)
        #expect(!wish.fallback && wish.existing == .cut && wish.ports.isEmpty)
        #expect(script.bodies.withLock { $0[0] }.contains(#""takeOver":true"#))
    }

    @Test("what is refused without fallback is taken out again") func refusal() async throws {
        let failing = Self.workspace(.failing, reason: "Nothing listens.", fallback: false)
        let script = Script(Self.workspace(.starting, observed: 1, fallback: false), events: [failing, Self.workspace(nil, wanted: false)])
        let run = try await run(script, "i start api --no-fallback --workspace hello")
        #expect(run.status == 1)
        #expect(run.printed.error.contains("Nothing listens. It was taken out again: the original answers."))
        let released = try JSONDecoder().decode(StopIntercept.self, from: Data(script.bodies.withLock { $0[1] }.utf8))
        #expect(released == StopIntercept(service: try Name("api"), ports: [ServicePort(8080)]))
    }

    @Test("errors keep their exit codes and hints")
    func errors() async throws {
        for (code, status) in [
            (KilnError.Code.intercepted, Int32(5)), (.notConnected, 5), (.notFound, 3), (.notAllowed, 4), (.portNeeded, 2),
        ] {
            let refusal = KilnError(code, "What happened.", hint: "kl mend")
            let run = try await run(Script(Self.workspace(nil), refusals: [refusal]), "i start api --workspace hello")
            #expect(run.status == status)
            #expect(run.printed.error == "error: What happened.\n  try: kl mend\n")
        }
    }

    @Test(
        "wrong words exit 2 before anybody is asked",
        arguments: [
            "--port 0", "--port 70000", "--port 80:", "--port :80", "--port 1:2:3", "--port x", "--port 80/sctp", "--port 80/udp/tcp", "--port +80",
            "--port -1", "--protocol icmp", "--existing burn", "--workspace Hello",
        ]
    )
    func wrongWords(words: String) async throws {
        let run = await kl(arguments: ["i", "start", "api", "--workspace", "hello"] + words.split(separator: " ").map(String.init))
        #expect(run.status == 2)
    }

    @Test("ports are read as they are written") func ports() throws {
        let tests: [(String, InterceptWish.PortWish)] = [
            ("8080:3000", .init(number: 8080, target: 3000)), ("3000", .init(target: 3000)),
            ("53:5353/udp", .init(number: 53, transport: .udp, target: 5353)), ("53/tcp", .init(transport: .tcp, target: 53)),
        ]
        for (text, wish) in tests { #expect(try InterceptWish.PortWish(text: text) == wish) }
        #expect(try InterceptWish.PortWish(text: "53", transport: .udp) == .init(transport: .udp, target: 53))
        #expect(try InterceptWish.PortWish(text: "53/tcp", transport: .udp) == .init(transport: .tcp, target: 53))
    }

    @Test("bare start offers services, then ports; without a terminal it exits 2") func asks() async throws {
        let refused = try await run(Script(Self.workspace(.active)), "i start --workspace hello")
        #expect(refused.status == 2)
        #expect(refused.paths.isEmpty)
        #expect(try await run(Script(Self.workspace(.active)), "i start --yes --workspace hello", answers: ["1"]).status == 2)

        for (answers, ports) in [
            (["1", "8080:3000 53:53/udp"], [InterceptWish.PortWish(number: 8080, target: 3000), .init(number: 53, transport: .udp, target: 53)]),
            (["db", ""], [.init(number: 5432, transport: .tcp, target: 5432)]),
        ] {
            let script = Script(Self.workspace(.active))
            let run = try await run(script, "i start --workspace hello", answers: answers)
            #expect(run.printed.error.contains("Services of shop:\n  1  api  8080/tcp 53/udp\n  2  db   5432/tcp\n"))
            #expect(try script.wishes.map(\.ports) == [ports])
        }
        for answers in [["3"], ["web"], [""], ["1", ""], ["1", "x"]] {
            let script = Script(Self.workspace(.active))
            #expect(try await run(script, "i start --workspace hello", answers: answers).status != 0)
            #expect(try script.wishes.isEmpty)
        }
    }

    @Test("which of several ports is meant is asked in a terminal only") func asksPorts() async throws {
        let several = KilnError(.portNeeded, "The service api has several ports: 53/udp, 8080.")
        let script = Script(Self.workspace(.active), refusals: [several])
        let run = try await run(script, "i start api --workspace hello", answers: ["8080:3000"])
        #expect(run.status == 0)
        #expect(run.printed.error == "Ports of api: 53/udp, 8080. Write PORT:WORKSPACE-PORT, several with spaces between.\n")
        #expect(try script.wishes.map(\.ports) == [[], [.init(number: 8080, target: 3000)]])
    }

    @Test("stop returns when the workspace was seen to have let go") func stop() async throws {
        let asked = Self.workspace(.active, version: 3, wanted: false)
        let script = Script(asked, events: [asked, Self.workspace(nil, version: 3, observed: 3, wanted: false)])
        let run = try await run(script, "intercept stop api --workspace hello")
        #expect(run.status == 0)
        #expect(run.printed.output == "Workspace hello gave api:8080 back.\n")
        #expect(script.bodies.withLock { $0 } == [#"{"service":"api"}"#])
        let none = try await self.run(Script(Self.workspace(nil, wanted: false)), "i stop --workspace hello")
        #expect(none.printed.output == "Workspace hello intercepts nothing.\n")
        #expect(none.paths == ["/api/v1/workspaces/hello/release"])
    }

    @Test("verdicts: stopped or taken meanwhile is a failure, an old status says nothing") func verdicts() throws {
        let keys: Set = [Intercept.Key(try Name("api"), ServicePort(8080))]
        func judge(_ workspace: Workspace) -> Verdict { .intercepting(workspace, keys, version: 2) }
        #expect(judge(Self.workspace(.active, observed: 1)) == .working(phase: "Starting", activity: nil))
        #expect(judge(Self.workspace(nil)) == .working(phase: "Starting", activity: nil))
        #expect(judge(Self.workspace(nil, wanted: false)) == .failed(.stopped))
        #expect(judge(Self.workspace(.active)) == .done)
    }
}

/// As `kl`, with the arguments in an array.
private func kl(arguments: [String]) async -> (status: Int32, printed: Printed) {
    let printed = Printed()
    let context = Context(
        environment: ["HOME": "/nonexistent"], output: printed.value, input: Input(descriptor: -1, ask: nil), workspaceSocket: "/nonexistent",
        now: { 1060 }
    )
    return (await KlProgram.run(arguments, in: context), printed)
}
