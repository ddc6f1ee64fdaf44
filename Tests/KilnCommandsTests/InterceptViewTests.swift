import Compose
import Foundation
import KilnModel
import Testing

@testable import KilnAPI
@testable import KilnCommands

@Suite("What kl shows of intercepts", .timeLimit(.minutes(1))) struct InterceptViewTests {
    private static func summary(_ phase: InterceptStatus.Phase = .active, owner: String = "anna", reason: Reason? = nil) -> InterceptSummary {
        let status = InterceptStatus(
            service: try! Name("api"), port: ServicePort(8080), target: 3000, phase: phase, reason: reason, since: 1000)
        var workspace = Fixtures.workspace()
        workspace = Workspace(
            metadata: Metadata(id: Fixtures.id, name: try! Name("hello"), owner: try! Name(owner), createdAt: 0), spec: workspace.spec)
        workspace.spec.connection = Fixtures.shop
        return InterceptSummary(status, of: workspace)
    }

    private static var report: WorkspaceReport {
        var workspace = Fixtures.workspace(observed: 1, phase: .running)
        workspace.spec.connection = Fixtures.shop
        workspace.status.connection = .init(environment: Fixtures.shop, phase: .connected, since: 1000)
        let reason = Reason(code: "intercepted", message: "ben/other took api:8080 over.")
        workspace.status.intercepts = [
            InterceptStatus(service: try! Name("api"), port: ServicePort(8080), target: 3000, phase: .lost, reason: reason, since: 1000)
        ]
        return WorkspaceReport(
            workspace: workspace, workmachine: try! Name("local"), usage: nil, environment: Fixtures.environment(observed: 1, phase: .running),
            intercepts: [summary(owner: "ben")]
        )
    }

    @Test("list shows the environment's inside, with what was lost, and everything of mine outside") func list() async throws {
        let items = try Fixtures.json(ResourceList(items: [Self.summary()]))
        let inside = try Fixtures.json(Self.report)
        var mine = Fixtures.workspace()
        mine.spec.connection = Fixtures.shop
        mine.spec.intercepts = [Intercept(service: try Name("db"), port: ServicePort(53, .udp), target: 5353, since: 1000)]
        let workspaces = try Fixtures.json(ResourceList(items: [mine]))
        let environments = try Fixtures.json(ResourceList(items: [Fixtures.environment()]))
        try await TestServer.run({ exchange in
            switch exchange.path {
            case "/api/v1/environments/shop/intercepts": try await exchange.answer(items)
            case "/api/v1/workspaces/hello/report": try await exchange.answer(inside)
            case "/api/v1/workspaces": try await exchange.answer(workspaces)
            case "/api/v1/environments": try await exchange.answer(environments)
            default: try await exchange.answer(#"{"items":[]}"#)
            }
        }) { server in
            let environment = await kl("i", "list", "--env", "shop", at: server.endpoint)
            #expect(
                environment.printed.output == """
                    SERVICE   WORKSPACE  TARGET  PHASE   SINCE  REASON
                    api:8080  hello      3000    Active  1 m    \n
                    """)
            let own = await kl("i", "ls", "--workspace", "hello", at: server.endpoint).printed.output
            #expect(own.contains("ben/hello"))
            #expect(own.contains("Lost    1 m    ben/other took api:8080 over."))
            let all = await kl("i", "ls", at: server.endpoint).printed.output
            #expect(all.split(separator: "\n").last?.hasPrefix("shop         db:53/udp  hello      5353/udp  Starting") == true, "\(all)")
            #expect(await kl("i", "ls", "-q", at: server.endpoint).printed.output == "db\n")
            let json = await kl("i", "ls", "--env", "shop", "--json", at: server.endpoint).printed.output
            let decoded = try JSONDecoder().decode([InterceptSummary].self, from: Data(json.utf8))
            #expect(decoded == [Self.summary()])
        }
    }

    @Test("status shows what passed through and who calls") func status() async throws {
        let traffic = InterceptReport.Traffic(
            connections: 12, bytes: 2048,
            callers: (1...12).map { .init(name: "w\($0)", address: AddressPlan.workspace($0), connections: 1) })
        let intercept = Intercept(service: try Name("api"), port: ServicePort(8080), target: 3000, fallback: false, since: 1)
        let waiting = Self.summary(.waiting, reason: Reason(code: "no-listener", message: "waiting for a listener on 3000"))
        let answer = try Fixtures.json(ResourceList(items: [InterceptReport(waiting, settings: intercept, traffic: traffic)]))
        try await TestServer.run({ try await $0.answer(answer) }) { server in
            let run = await kl("i", "status", "--workspace", "hello", at: server.endpoint)
            #expect(run.status == 0)
            for line in [
                "intercept    api:8080 to port 3000 of hello", "phase        Waiting", "since        1 m",
                "waits        waiting for a listener on 3000",
                "existing     drain", "no listener  callers are refused", "connections  12", "bytes        2 KiB", "callers      w1 (1), w2 (1)",
                "w10 (1), 2 more",
            ] { #expect(run.printed.output.contains(line), "\(line) in \(run.printed.output)") }
            #expect(await kl("i", "status", "db", "--workspace", "hello", at: server.endpoint).status == 3)
        }
    }

    @Test("status and env status name them, and env status --quiet is what completion asks for") func elsewhere() async throws {
        var report = Self.report
        let service = Service(name: try Name("api"), addressIndex: 1, image: .reference(try ImageReference("x")))
        report.environment?.spec.services = [service]
        let answer = try Fixtures.json(report)
        try await TestServer.run({ try await $0.answer(answer) }) { server in
            for verb in [["status", "--workspace", "hello"], ["ws", "show", "hello"]] {
                let output = await run(verb, server.endpoint)
                #expect(output.contains("intercept    api:8080 to 3000, lost since 1 m: ben/other took api:8080 over."), "\(output)")
            }
            let environment = await run(["env", "status", "--workspace", "hello"], server.endpoint)
            #expect(environment.contains("api:8080  hello      3000    Active"), "\(environment)")
            #expect(await run(["env", "status", "-q", "--workspace", "hello"], server.endpoint) == "api\n")
        }
    }

    private func run(_ arguments: [String], _ endpoint: Endpoint) async -> String {
        let printed = Printed()
        let context = Context(
            environment: ["HOME": "/nonexistent", "KILN_URL": endpoint.description], output: printed.value, input: Input(descriptor: -1, ask: nil),
            workspaceSocket: "/nonexistent", now: { 1060 }
        )
        _ = await KlProgram.run(arguments, in: context)
        return printed.output
    }
}

@Suite("kl intercept env", .timeLimit(.minutes(1))) struct SurroundingsTests {
    private static let values = [
        "", "plain", "two words", "it's", "''", "\"double\"", "$HOME ${X} $(id) `id`", "a\nb\n", "\n", "\r\n", "back\\slash\\", "\\n", "# no comment",
        "!bang", "*?[]~", "é – 🧱", "\u{1B}[31m", "; rm -rf /", "a=b", "\t tab", "'\\''", "$$", "\\$x",
    ]

    private static func surroundings(_ values: [String]) throws -> ServiceSurroundings {
        ServiceSurroundings(
            service: try Name("api"), variables: try values.enumerated().map { try EnvironmentVariable(key: "KEY_\($0)", value: $1) },
            mounts: [.init(volume: "data", path: "/srv\n$(touch /tmp/x)", readOnly: true)], secrets: ["token"]
        )
    }

    /// The values above, and some hundred made of the characters that mean something somewhere.
    private static var many: [String] {
        var generator = SystemRandomNumberGenerator()
        let letters = Array("ab '\"\\$`\n\r#!=;&|(){}<>*~\té")
        return values
            + (0..<300).map { _ in String((0..<Int.random(in: 0...12, using: &generator)).map { _ in letters.randomElement(using: &generator)! }) }
    }

    @Test("gives every value to a shell as it is", arguments: ["/bin/sh", "/bin/bash"]) func shell(program: String) throws {
        let values = Self.many
        let text = SurroundingsText.text(try Self.surroundings(values), .shell)
        let script = "eval \"$1\"; i=0; while [ $i -lt \(values.count) ]; do eval \"printf '%s\\\\001' \\\"\\$KEY_$i\\\"\"; i=$((i + 1)); done"
        let output = try Fixtures.run(program, "-c", script, "sh", text)
        #expect(output.split(separator: "\u{1}", omittingEmptySubsequences: false).dropLast().map(String.init) == values)
    }

    @Test("gives every value to a reader of such files as it is") func dotenv() throws {
        let values = Self.many
        let text = SurroundingsText.text(try Self.surroundings(values), .dotenv)
        let read = try EnvironmentFile.read(text: text, file: ".env", variables: ["HOME": "no", "X": "no"])
        #expect(read.map(\.value) == values)
    }

    @Test("says mounts and secrets in comments, one line each") func comments() throws {
        let text = SurroundingsText.text(try Self.surroundings(["a b"]), .dotenv)
        #expect(text == "KEY_0=\"a b\"\n# mount: data at /srv\\n$(touch /tmp/x), read-only\n# secret: token\n")
    }

    @Test("asks for the connected environment, or the one that is named") func command() async throws {
        var workspace = Fixtures.workspace()
        workspace.spec.connection = Fixtures.shop
        let found = try Fixtures.json(workspace)
        let answer = try Fixtures.json(try Self.surroundings(["a b"]))
        try await TestServer.run({ exchange in
            try await exchange.answer(exchange.path.hasPrefix("/api/v1/workspaces/") ? found : answer)
        }) { server in
            let inside = await kl("i", "env", "api", "--workspace", "hello", at: server.endpoint)
            #expect(inside.printed.output.hasPrefix("export KEY_0='a b'\n"))
            let named = await kl("i", "env", "api", "--env", "shop", "--format", "json", at: server.endpoint)
            #expect(named.printed.output.contains("\"KEY_0\" : \"a b\""))
            let uris = await server.seen.requests.map(\.uri)
            #expect(
                uris == [
                    "/api/v1/workspaces/hello", "/api/v1/environments/sh0p000000/surroundings?service=api",
                    "/api/v1/environments/shop/surroundings?service=api",
                ])
            #expect(await kl("i", "env", "api", "--format", "fish", "--env", "shop", at: server.endpoint).status == 2)
        }
        let lonely = try Fixtures.json(Fixtures.workspace())
        try await TestServer.run({ try await $0.answer(lonely) }) { server in
            let run = await kl("i", "env", "api", "--workspace", "hello", at: server.endpoint)
            #expect(run.status == 5)
            #expect(run.printed.error.contains("try: Connect it: kl env connect NAME"))
        }
    }
}
