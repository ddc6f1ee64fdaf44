import Foundation
import KilnModel
import NIOHTTP1
import Synchronization
import Testing

@testable import KilnAPI
@testable import KilnCommands

@Suite("kl", .timeLimit(.minutes(1))) struct KlTests {
    @Test(
        "maps every kind of error to its exit code",
        arguments: [
            (KilnError.Code.invalidName, Int32(2)), (.unauthenticated, 4), (.notAllowed, 4), (.notFound, 3), (.nameTaken, 5), (.staleVersion, 5),
            (.engineFailed, 1), (.engineUnavailable, 1), (.timedOut, 6),
        ]
    )
    func exitCodes(code: KilnError.Code, status: Int32) async throws {
        let problem = try Fixtures.problem(KilnError(code, "What happened.", hint: "kl mend"))
        try await TestServer.run({ exchange in
            try await exchange.answer(.init(statusCode: code.category.httpStatus), type: "application/problem+json", problem)
        }) { server in
            let run = await kl("ws", "show", "hello", at: server.endpoint)
            #expect(run.status == status)
            #expect(run.printed.error == "error: What happened.\n  try: kl mend\n")
            #expect(run.printed.output.isEmpty)
        }
    }

    @Test(
        "exits 2 at a wrong name, before it asks anybody",
        arguments: ["", "../x", "a;b", "Hello", "-a", "hello-", "héllo", "hеllo", String(repeating: "a", count: 64), "a/b/c", "/a"]
    )
    func wrongNames(name: String) async {
        #expect(await kl("ws", "show", "--", name).status == 2)
        #expect(await kl("ws", "create", "--", name).status == 2)
    }

    @Test(
        "exits 2 at a misuse and 0 at help",
        arguments: [
            ("bogus", Int32(2)), ("ws create", 2), ("--help", 0), ("ws exec --help", 0), ("help bogus", 2), ("help ws bogus", 2), ("ws bogus", 2),
            ("help", 0), ("help ws", 0), ("help ws create", 0), ("ws help create", 2), ("i --help", 0), ("--version", 0),
        ])
    func usage(line: String, status: Int32) async {
        let printed = Printed()
        let context = Context(environment: [:], output: printed.value, input: Input(descriptor: -1, ask: nil), now: { 0 })
        #expect(await KlProgram.run(line.split(separator: " ").map(String.init), in: context) == status)
        #expect(printed.output.isEmpty == (status != 0))
    }

    @Test(
        "names what there is where a word names nothing", arguments: [["help", "ws", "bogus"], ["ws", "bogus"], ["workspace", "bogus", "--json"]])
    func unknownWords(arguments: [String]) async {
        let printed = Printed()
        _ = await KlProgram.run(arguments, in: Context(environment: [:], output: printed.value, input: Input(descriptor: -1, ask: nil), now: { 0 }))
        #expect(printed.error.contains("There is: create, list,") && printed.error.contains("bogus"), "\(printed.error)")
    }

    @Test(
        "help and misuse of a verb name it in full",
        arguments: [["i", "start", "--help"], ["intercept", "start", "--bogus"], ["i", "stop", "a", "b"]])
    func fullNames(arguments: [String]) async {
        let printed = Printed()
        let context = Context(environment: [:], output: printed.value, input: Input(descriptor: -1, ask: nil), now: { 0 })
        _ = await KlProgram.run(arguments, in: context)
        #expect((printed.output + printed.error).contains(arguments[1] == "stop" ? "kl intercept stop" : "kl intercept start"))
    }

    @Test("exits 2 where it would ask and nobody can answer") func cannotAsk() async {
        for verb in ["ws", "env", "machine"] {
            let run = await kl(verb, "delete", "hello")
            #expect(run.status == 2)
            #expect(run.printed.error.contains("try: Add --yes."))
        }
    }

    @Test("does nothing when the answer is no") func declined() async throws {
        let answer = try Fixtures.json(Fixtures.workspace())
        try await TestServer.run({ try await $0.answer(answer) }) { server in
            let run = await kl("ws", "delete", "hello", at: server.endpoint, ask: { _ in "n" })
            #expect(run.status == 1)
            #expect(run.printed.error == "error: Nothing was done.\n")
            #expect(await server.seen.requests.map(\.method) == [.GET])
        }
    }

    @Test("needs a workspace's name outside, and none inside") func workspaceOption() async throws {
        #expect(await kl("env", "status").status == 2)
        let report = WorkspaceReport(
            workspace: Fixtures.workspace(observed: 1, phase: .running), workmachine: try Name("local"), usage: nil, environment: nil)
        let answer = try Fixtures.json(report)
        try await Fixtures.withFolder { folder in
            try await TestServer.run(socket: "\(folder)/kl.sock", { try await $0.answer(answer) }) { server in
                let run = await kl("status", socket: "\(folder)/kl.sock")
                #expect(run.status == 0)
                #expect(run.printed.output.contains("workspace    hello\n"))
                #expect(run.printed.output.contains("connection   none\n"))
                let requests = await server.seen.requests
                #expect(requests.map(\.uri) == ["/api/v1/workspaces/@self/report"])
            }
        }
    }

    @Test("prints lists as arrays with --json and as a table without") func lists() async throws {
        try await TestServer.run({ exchange in
            switch exchange.path {
            case "/api/v1/workspaces" where exchange.head.uri.contains("after"):
                try await exchange.answer(Fixtures.json(ResourceList(items: [Fixtures.workspace(phase: .running)])))
            case "/api/v1/workspaces": try await exchange.answer(Fixtures.json(ResourceList<Workspace>(items: [], next: "x y")))
            case "/api/v1/workmachines": try await exchange.answer(Fixtures.json(ResourceList<Workmachine>(items: [])))
            default: try await exchange.answer(.forbidden, type: "application/problem+json", Fixtures.problem(KilnError(.notAllowed, "No.")))
            }
        }) { server in
            let json = await kl("ws", "list", "--json", at: server.endpoint).printed.output
            let workspaces = try JSONDecoder().decode([Workspace].self, from: Data(json.utf8))
            #expect(workspaces.map(\.metadata.name.value) == ["hello"])
            let table = await kl("ws", "ls", at: server.endpoint)
            #expect(table.status == 0)
            #expect(table.printed.output.split(separator: "\n").last == "hello  Running  17 m   -           1.5   4 GiB   mach1ne000")
            #expect(await kl("ws", "ls", "-q", at: server.endpoint).printed.output == "hello\n")
        }
    }

    @Test("keeps the token where only its owner reads it, and refuses a file that others read") func configuration() async throws {
        try await Fixtures.withFolder { folder in
            let environment = ["HOME": folder]
            let set = await kl("config", "set-url", "http://127.0.0.1:9", environment: environment)
            #expect(set.status == 0)
            _ = await kl("config", "set-token", environment: environment, ask: { _ in "s3cret" })
            let path = "\(folder)/.config/kiln/config.json"
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            let shown = await kl("config", "show", environment: environment).printed.output
            #expect(shown.contains("http://127.0.0.1:9") && !shown.contains("s3cret"))
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            let refused = await kl("config", "show", environment: environment)
            #expect(refused.status == 1)
            #expect(refused.printed.error.contains("try: chmod 600 \(path)"))
            // What the environment says in full needs no file.
            #expect(await kl("config", "show", environment: environment.merging(["KILN_URL": "http://x", "KILN_TOKEN": "t"]) { $1 }).status == 0)
        }
    }

    @Test("merges variables: unset ones go, known ones keep their place") func mergedVariables() throws {
        let old = try ["A=1", "B=2", "C=3"].map { try EnvironmentVariable($0) }
        let merged = WorkspaceUpdate.merge(old, set: try ["C=4", "D=5"].map { try EnvironmentVariable($0) }, unset: ["A"])
        #expect(merged.map(\.description) == ["B=2", "C=4", "D=5"])
    }

    @Test("prints a completion script for every shell", arguments: ["bash", "zsh", "fish"]) func completion(shell: String) async {
        let run = await kl("completion", shell)
        #expect(run.status == 0)
        #expect(run.printed.output.contains("kl workspace list --quiet"))
    }

    @Test(
        "bash completes below every name of a verb",
        arguments: [
            (["ws", "sus"], "suspend"), (["workspace", "sus"], "suspend"), (["p", "ad"], "add"), (["i", "sta"], "start status"),
            (["ws", "rm", "--time"], "--timeout"), (["ws"], ""),
        ]) func completesBelowAliases(words: [String], offered: String) async throws
    {
        #expect(try await completedByBash(words) == offered + "\n")
    }

    @Test("phases are offered, and the packages of the workspace that the line names") func completesValues() async throws {
        #expect(try await completedByBash(["ws", "list", "--phase", "S"]) == "Starting Suspending Suspended\n")
        #expect(try await completedByBash(["machine", "list", "--phase", "R"]) == "Ready\n")
        // A stand-in for kl, which completion asks.
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-complete-\(UInt32.random(in: 0 ... .max))").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("#!/bin/sh\necho \"$*\" >'\(folder)/asked'\necho jq\necho nodejs\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/kl"))
        chmod("\(folder)/kl", 0o755)
        for verb in ["remove", "update", "why", "rm"] {
            let line = ["pkg", verb, "--workspace", "hello", "j"]
            #expect(try await completedByBash(line, path: "\(folder):/usr/bin:/bin") == "jq\n", "\(verb)")
            let asked = try String(contentsOfFile: "\(folder)/asked", encoding: .utf8)
            #expect(asked == "pkg list --quiet --completing kl \(line.joined(separator: " "))\n")
        }
    }

    @Test("the workspace of a line that is completed counts") func completingLine() async throws {
        let paths = Mutex<[String]>([])
        try await TestServer.run({ exchange in
            paths.withLock { $0.append(exchange.head.uri) }
            try await exchange.answer("")
        }) { server in
            for line in ["kl pkg rm --workspace hello j", "kl pkg rm --workspace=hello j"] {
                _ = await kl(["pkg", "list", "--quiet", "--completing", line], at: server.endpoint)
            }
        }
        #expect(paths.withLock { $0 } == Array(repeating: "/api/v1/workspaces/hello/packages", count: 2))
    }

    /// What bash offers after `kl WORDS`.
    private func completedByBash(_ words: [String], path: String = "/usr/bin:/bin") async throws -> String {
        let script = await kl("completion", "bash").printed.output
        let line = ["kl"] + words
        let typed = line.joined(separator: " ")
        let program = Process()
        program.executableURL = URL(fileURLWithPath: "/bin/bash")
        program.arguments = [
            "-c",
            script + "\nCOMP_WORDS=(\(typed)); COMP_CWORD=\(words.count); COMP_LINE='\(typed)'; COMP_POINT=\(typed.utf8.count)\n"
                + "_kl kl '\(line[line.count - 1])' '\(line[line.count - 2])'; printf '%s\\n' \"${COMPREPLY[*]}\"",
        ]
        let output = Pipe()
        program.standardOutput = output
        program.environment = ["PATH": path]
        try program.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        program.waitUntilExit()
        return text
    }

    @Test("doctor says what is wrong and what mends it") func doctor() async throws {
        let endpoint = try await TestServer.run({ try await $0.answer("") }) { $0.endpoint }
        let run = await kl("doctor", at: endpoint)
        #expect(run.status == 1)
        #expect(run.printed.output.contains("ok    configuration"))
        #expect(run.printed.output.contains("fail  server: kilnd does not answer"))
        #expect(run.printed.output.contains("try: make up"))
    }
}
