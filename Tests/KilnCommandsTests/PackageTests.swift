import Foundation
import KilnModel
import NIOHTTP1
import Synchronization
import Testing

@testable import KilnAPI
@testable import KilnCommands

@Suite("kl pkg", .serialized, .timeLimit(.minutes(1))) struct PackageTests {
    private static func locked(_ text: String) throws -> LockedPackage {
        let wish = try PackageWish(text)
        guard case .matching(let version) = wish.version else { throw KilnError(.invalidValue, "A test names the version.") }
        return LockedPackage(
            name: wish.name, version: version, source: try Name("debian"), revision: "1", attribute: wish.name.value, system: "x86_64-linux",
            storePath: try StorePath("/nix/store/\(String(repeating: "0", count: 32))-\(wish.name)-\(version)"))
    }

    /// The workspace hello with a list.
    private static func hello(
        _ texts: String..., generation: Int = 1, seen: Int = 1, phase: PackagesStatus.Phase = .ready,
        change: (inout PackagesStatus) -> Void = { _ in }
    ) throws -> Workspace {
        var workspace = Fixtures.workspace(version: 2, observed: 2, phase: .running)
        workspace.spec.packages = try texts.map(locked)
        workspace.spec.packageGeneration = generation
        var status = PackagesStatus(
            phase: phase, generation: seen,
            installed: workspace.spec.packages.map { .init(name: $0.name, storePath: $0.storePath, size: 3 << 20, programs: [$0.name.value]) },
            since: 1000)
        change(&status)
        workspace.status.packages = status
        return workspace
    }

    /// What kilnd was sent, and what it answers.
    private final class Script: Sendable {
        let bodies = Mutex<[(path: String, text: String)]>([])
        let answer: String
        let refusal: KilnError?
        let events: [Workspace]

        init(_ answer: some Encodable, refusal: KilnError? = nil, events: [Workspace] = []) throws {
            self.answer = try Fixtures.json(answer)
            self.refusal = refusal
            self.events = events
        }

        func answer(_ exchange: TestServer.Exchange) async throws {
            guard exchange.path != "/api/v1/events" else {
                try await exchange.begin(type: "text/event-stream")
                for workspace in events { try await exchange.write(Fixtures.event(.workspace(workspace))) }
                return try await Task.sleep(for: .seconds(30))
            }
            let body = String(decoding: try await exchange.body(), as: UTF8.self)
            bodies.withLock { $0.append(("\(exchange.head.method) \(exchange.head.uri)", body)) }
            if let refusal {
                let status = HTTPResponseStatus(statusCode: refusal.code.category.httpStatus)
                return try await exchange.answer(status, type: "application/problem+json", Fixtures.problem(refusal))
            }
            try await exchange.answer(answer)
        }
    }

    private func run(_ script: Script, _ line: String) async throws -> (status: Int32, printed: Printed) {
        try await TestServer.run({ try await script.answer($0) }) { server in
            await kl(line.split(separator: " ").map(String.init), at: server.endpoint)
        }
    }

    @Test("add sends one request, follows the events, and says what has changed") func add() async throws {
        let asked = try Self.hello("jq@1.7", "git@2", generation: 3, seen: 2, phase: .installing)
        let done = try Self.hello("jq@1.7", "git@2", generation: 3, seen: 3) { $0.fetched = 12 << 20 }
        let changes = [PackageChange(name: try PackageName("jq"), from: nil, to: try PackageVersion("1.7"))]
        let script = try Script(PackagesAnswer(workspace: asked, changes: changes), events: [asked, done])
        let run = try await run(script, "pkg add jq nodejs@20 --source debian --workspace hello")
        #expect(run.status == 0)
        #expect(run.printed.output == "Workspace hello: +jq 1.7 (generation 3, 12 MiB fetched)\n")
        #expect(run.printed.error.isEmpty)
        let body = try #require(script.bodies.withLock { $0 }.first)
        #expect(body.path == "POST /api/v1/workspaces/hello/packages")
        #expect(try JSONDecoder().decode(AddPackages.self, from: Data(body.text.utf8)).wishes.map(\.description) == ["jq", "nodejs@20"])
        #expect(body.text.contains(#""source":"debian""#) && !body.text.contains("atomic"))
    }

    @Test("what is so already needs no events") func settled() async throws {
        let script = try Script(PackagesAnswer(workspace: try Self.hello("jq@1.7"), changes: []))
        let run = try await run(script, "p add jq --workspace hello")
        #expect(run.status == 0)
        #expect(run.printed.output == "Workspace hello: nothing has changed.\n")
    }

    @Test("what could not be resolved, or had, is reported, and the exit code is that of the first") func failures() async throws {
        let missing = PackagesAnswer.Refusal(
            package: "jx", problem: Problem(KilnError(.packageNotFound, "There is no package jx.", hint: "Nearest: jq")))
        let changes = try ["jq", "bad"].map { PackageChange(name: try PackageName($0), from: nil, to: try PackageVersion("1")) }
        let asked = try Self.hello("jq@1", "bad@1", generation: 2, seen: 1, phase: .installing)
        let reason = Reason(code: "package-failed", message: "It does not run.", hint: "kl mend")
        func done(_ generation: Int) throws -> Workspace {
            try Self.hello("jq@1", generation: 3, seen: 3) {
                $0.failures = [.init(name: changes[1].name, version: try! PackageVersion("1"), generation: generation, reason: reason)]
            }
        }
        let both = try Script(PackagesAnswer(workspace: asked, changes: changes, refused: [missing]), events: [try done(2)])
        let run1 = try await run(both, "pkg add jq bad jx --workspace hello")
        #expect(run1.status == 3)
        #expect(run1.printed.output == "Workspace hello: +jq 1 (generation 3)\n")
        #expect(
            run1.printed.error
                == "error: There is no package jx.\n  try: Nearest: jq\nerror: bad 1 was not added: It does not run.\n  try: kl mend\n")
        let one = try Script(PackagesAnswer(workspace: asked, changes: changes), events: [try done(2)])
        #expect(try await run(one, "pkg add jq bad --workspace hello").status == 1)
        // What failed before this was asked for is somebody else's.
        let old = try Script(PackagesAnswer(workspace: asked, changes: changes), events: [try done(1)])
        #expect(try await run(old, "pkg add jq bad --workspace hello").status == 0)
    }

    @Test("a list that failed as a whole is an error") func failed() async throws {
        let asked = try Self.hello("jq@1", generation: 2, seen: 1, phase: .installing)
        let failed = try Self.hello("jq@1", generation: 2, seen: 1, phase: .failed) { $0.reason = Reason(code: "disk-full", message: "Full.") }
        let run = try await run(try Script(PackagesAnswer(workspace: asked, changes: []), events: [asked, failed]), "pkg rm git --workspace hello")
        #expect(run.status == 1)
        #expect(run.printed.error == "error: Packages of hello failed: Full.\n  try: kl pkg list --workspace hello\n")
    }

    @Test(
        "wrong words exit 2 before anybody is asked",
        arguments: [
            "add", "add $(id)", "add ../x", "add \";", "add jq@", "add jq@$(x)", "add jq --source A", "remove", "remove jq@1", "search", "info",
            "info a/b", "rollback x", "why", "search x --limit 0", "import", "import /nonexistent", "sync --file /nonexistent/kiln.yaml", "gc",
        ])
    func wrongWords(words: String) async {
        #expect(
            await kl(["pkg"] + words.split(separator: " ").map(String.init) + (words.hasPrefix("gc") ? [] : ["--workspace", "hello"])).status == 2)
    }

    @Test("errors keep their exit codes and hints") func errors() async throws {
        for (code, status) in [(KilnError.Code.packageNotFound, Int32(3)), (.versionNotFound, 3), (.noRoom, 5), (.notAllowed, 4), (.diskFull, 1)] {
            let script = try Script(0, refusal: KilnError(code, "What happened.", hint: "kl mend"))
            let run = try await run(script, "pkg add jq --workspace hello")
            #expect(run.status == status)
            #expect(run.printed.error == "error: What happened.\n  try: kl mend\n")
        }
    }

    @Test("list is a table with sizes and programs, and says what is amiss") func list() async throws {
        let shadow = InstalledPackage.Shadowed(path: "bin/awk", by: try PackageName("gawk"))
        let workspace = try Self.hello("jq@1.7", "git@2", generation: 4, seen: 3, phase: .installing) {
            $0.installed[0].programs = (1...7).map { "p\($0)" }
            $0.installed[0].shadowed = [shadow, shadow]
            $0.installed.removeLast()
            $0.progress = PackageProgress(activity: "fetching git")
        }
        let run = try await run(try Script(PackagesReport(workspace)), "pkg ls --workspace hello")
        #expect(
            run.printed.output == """
                NAME  VERSION  SOURCE  SIZE   PROGRAMS
                jq    1.7      debian  3 MiB  p1 p2 p3 p4 p5 and 2 more
                git   2        debian  -      not there yet

                """)
        #expect(
            run.printed.error == """
                Generation 4 is being installed: fetching git.
                bin/awk and 1 more of jq is hidden by that of gawk.

                """)
        #expect(try await self.run(try Script(PackagesReport(workspace)), "pkg list -q --workspace hello").printed.output == "jq\ngit\n")
        let none = try await self.run(try Script(PackagesReport(try Self.hello())), "pkg list --workspace hello")
        #expect(none.status == 0 && none.printed.error == "Workspace hello has no packages. Begin with: kl pkg add NAME\n")
    }

    @Test("a dry update says what would change and changes nothing") func dryUpdate() async throws {
        let change = PackageChange(name: try PackageName("jq"), from: try PackageVersion("1.6"), to: try PackageVersion("1.7"))
        let script = try Script(PackagesAnswer(workspace: try Self.hello("jq@1.6"), changes: [change], download: 2 << 20))
        let run = try await run(script, "pkg update --dry-run --workspace hello")
        #expect(run.printed.output == "jq 1.6 → 1.7\nTo be fetched: 2 MiB\n")
        #expect(script.bodies.withLock { $0[0].text } == #"{"dryRun":true}"#)
    }

    @Test("a lock that was exported is imported") func lock() async throws {
        let workspace = try Self.hello("jq@1.7", "git@2")
        let exported = try await run(try Script(PackagesReport(workspace)), "pkg export --workspace hello").printed.output
        try await Fixtures.withFolder { folder in
            try Fixtures.write(exported, to: "\(folder)/lock")
            let script = try Script(PackagesAnswer(workspace: workspace, changes: []))
            #expect(try await run(script, "pkg import \(folder)/lock --workspace other").status == 0)
            let body = script.bodies.withLock { $0[0] }
            #expect(body.path == "PUT /api/v1/workspaces/other/packages")
            #expect(try JSONDecoder().decode(PackageLock.self, from: Data(body.text.utf8)).packages == workspace.spec.packages)
            try Fixtures.write(exported.replacing("\"jq\"", with: "\"$(jq)\""), to: "\(folder)/hostile")
            #expect(try await run(script, "pkg import \(folder)/hostile --workspace other").status == 2)
        }
    }

    @Test("sync sends the file, and finds it above") func sync() async throws {
        try await Fixtures.withFolder { folder in
            try Fixtures.write("packages: [jq]\n", to: "\(folder)/api/kiln.yaml")
            let script = try Script(PackagesAnswer(workspace: try Self.hello("jq@1.7"), changes: []))
            #expect(try await run(script, "pkg sync --file \(folder)/api/kiln.yaml --exact --workspace hello").status == 0)
            let text = script.bodies.withLock { $0[0].text }
            #expect(
                try JSONDecoder().decode(SyncPackages.self, from: Data(text.utf8))
                    == SyncPackages(file: "packages: [jq]\n", path: "\(folder)/api/kiln.yaml", exact: true))
        }
    }

    @Test("history, search, info and why are for reading") func reading() async throws {
        let generation = PackageGeneration(
            number: 2, createdAt: 1000, deed: .rollback, restored: 1, changes: PackageChange.between(try [Self.locked("jq@1")], []), packages: [])
        let history = try await run(try Script(ResourceList(items: [generation])), "pkg history --workspace hello")
        #expect(history.printed.output == "GENERATION  AGO  WHAT           CHANGES\n2           1 m  rollback to 1  -jq 1\n")

        let summary = PackageSummary(
            name: try PackageName("jq"), version: try PackageVersion("1.7"), summary: "JSON\u{1B}[31m processor", source: try Name("debian"))
        let search = try Script(ResourceList(items: [summary]))
        let found = try await run(search, "p search json tool")
        #expect(found.printed.output.hasPrefix("NAME  VERSION  SOURCE  WHAT IT IS\njq    1.7      debian  JSON"))
        #expect(!found.printed.output.contains("\u{1B}"))
        #expect(search.bodies.withLock { $0[0].path } == "GET /api/v1/packages?query=json%20tool&limit=30")

        let details = PackageDetails(
            name: try PackageName("g++"), summary: "A compiler",
            releases: [
                .init(version: try PackageVersion("12"), source: try Name("debian"), attribute: "bookworm/g++", downloadSize: 1 << 20)
            ])
        let info = try Script(details)
        #expect(try await run(info, "pkg info g++").printed.output.contains("12       debian  1 MiB  bookworm/g++\n"))
        #expect(info.bodies.withLock { $0[0].path } == "GET /api/v1/packages/g%2B%2B")

        let path = try Self.locked("jq@1").storePath
        let why = try await run(
            try Script(ResourceList(items: [OriginReport(package: try PackageName("jq"), chain: [path])])), "pkg why jq --workspace hello")
        #expect(why.printed.output == "jq\n  \(path)\n")
        let nothing = try await run(try Script(ResourceList<OriginReport>(items: [])), "pkg why x --workspace hello")
        #expect(nothing.status == 3)
    }

    @Test("gc asks, follows the collection, and says what it freed") func collect() async throws {
        let lines = try [
            CollectionLine.progress(.init(activity: "looking")), .done(freed: 5 << 20, paths: 1, partial: false),
        ].map { try Fixtures.json($0) + "\n" }.joined()
        try await TestServer.run({ try await $0.answer(type: "application/x-ndjson", lines) }) { server in
            let done = await kl("pkg", "gc", "--yes", at: server.endpoint)
            #expect(done.status == 0 && done.printed.output == "Freed 5 MiB of 1 path.\n")
            #expect(await kl("pkg", "gc", at: server.endpoint, ask: { _ in "n" }).status == 1)
            #expect(await server.seen.requests.map(\.uri) == ["/api/v1/workmachines/local/packages/collect"])
        }
        let failed = try Fixtures.json(CollectionLine.failed(Problem(KilnError(.engineFailed, "No.")))) + "\n"
        try await TestServer.run({ try await $0.answer(type: "application/x-ndjson", failed) }) { server in
            #expect(await kl("pkg", "gc", "--yes", at: server.endpoint).status == 1)
        }
    }

    @Test("verdicts: an older generation says nothing, a later one will do") func verdicts() throws {
        func judge(_ workspace: Workspace) -> Verdict { .packages(workspace, generation: 2) }
        #expect(judge(try Self.hello(generation: 2, seen: 1, phase: .installing)) == .working(phase: "Installing", activity: nil))
        #expect(judge(try Self.hello(generation: 3, seen: 2, phase: .installing)) == .working(phase: "Installing", activity: nil))
        #expect(judge(try Self.hello(generation: 3, seen: 3)) == .done)
        #expect(Verdict.packages(Fixtures.workspace(), generation: 0) == .done)
        #expect(Verdict.packages(Fixtures.workspace(), generation: 1) == .working(phase: "Installing", activity: nil))
    }

    @Test("speed is told from the first bytes on") func rate() {
        let (rate, start) = (TransferRate(), ContinuousClock.now)
        func text(_ fetched: Int, _ seconds: Double) -> String {
            rate.text(of: PackageProgress(activity: "fetching", fetched: fetched, total: 10 << 20), now: start + .seconds(seconds))
        }
        #expect(text(0, 0) == "fetching, 0 B of 10 MiB")
        #expect(text(4 << 20, 2) == "fetching, 4 MiB of 10 MiB, 2 MiB/s")
        #expect(rate.text(of: PackageProgress(activity: "building the view"), now: start + .seconds(3)) == "building the view")
    }
}
