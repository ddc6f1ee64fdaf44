import FoundationEssentials
import KilnAPI
import KilnModel
import Testing
import WorkspaceEngine

@Suite(.timeLimit(.minutes(1))) struct PackageTests {
    /// anna's workspace hello, and an engine that has some packages.
    private func withHello(_ body: @escaping @Sendable (ServerFixture, _ hello: Workspace) async throws -> Void) async throws {
        let catalogue = try [
            "jq": ["1.7", "1.6"], "nodejs": ["22.1", "20.2", "20.1"], "g++": ["12"], "bad": ["1"],
        ].reduce(into: [PackageName: [PackageVersion]]()) { $0[try PackageName($1.key)] = try $1.value.map { try PackageVersion($0) } }
        let broken = [try PackageName("bad"): KilnError(.packageFailed, "It does not run.")]
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            await kilnd.engine.change {
                $0.catalogue = catalogue
                $0.broken = broken
            }
            try await body(kilnd, try await kilnd.makeWorkspace("hello"))
        }
    }

    private static let path = "/api/v1/workspaces/hello/packages"

    private func decode<Value: Decodable>(_ answer: Answer, _ type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(answer.body))
    }

    /// Waits until the list is there as it is wanted.
    private func settled(_ kilnd: ServerFixture) async throws -> PackagesReport {
        try await kilnd.wait(Self.path) { text in
            do {
                let report = try JSONDecoder().decode(PackagesReport.self, from: Data(text.utf8))
                return report.status?.phase == .ready && report.status?.generation == report.generation
            } catch {
                return false
            }
        }
        return try decode(try await kilnd.send("GET", Self.path))
    }

    private func list(_ report: PackagesReport) -> [String] { report.packages.map { "\($0.package.name)@\($0.package.version)" } }

    @Test func `packages are added, listed, updated, removed and rolled back`() async throws {
        try await withHello { kilnd, _ in
            let added = try await kilnd.send("POST", Self.path, body: #"{"packages":["jq@1.6","nodejs@20","g++"]}"#)
            #expect(added.status == 202)
            let answer: PackagesAnswer = try decode(added)
            #expect(answer.changes.map(\.description) == ["+jq 1.6", "+nodejs 20.2", "+g++ 12"])
            #expect(answer.download == 3 && answer.refused.isEmpty)
            let report = try await settled(kilnd)
            #expect(report.packages.map(\.installed?.programs) == [["jq"], ["nodejs"], ["g++"]])
            #expect(report.packages.map(\.package.wanted?.value) == ["1.6", "20", nil])

            let dry = try await kilnd.send("POST", "\(Self.path)/update", body: #"{"dryRun":true}"#)
            #expect(dry.status == 200)
            #expect(try decode(dry, PackagesAnswer.self).changes.isEmpty)
            let newer = try [try PackageName("nodejs"): ["22.1", "20.3"].map { try PackageVersion($0) }, PackageName("g++"): [PackageVersion("13")]]
            await kilnd.engine.change { $0.catalogue.merge(newer) { $1 } }
            let planned = try decode(try await kilnd.send("POST", "\(Self.path)/update", body: #"{"dryRun":true}"#), PackagesAnswer.self)
            #expect(planned.changes.map(\.description) == ["nodejs 20.2 → 20.3", "g++ 12 → 13"])
            #expect(list(try await settled(kilnd)) == ["jq@1.6", "nodejs@20.2", "g++@12"])
            #expect(try await kilnd.send("POST", "\(Self.path)/update", body: #"{"packages":["nodejs"]}"#).status == 202)
            #expect(list(try await settled(kilnd)) == ["jq@1.6", "nodejs@20.3", "g++@12"])

            #expect(try await kilnd.send("POST", "\(Self.path)/remove", body: #"{"packages":["jq"]}"#).status == 202)
            #expect(list(try await settled(kilnd)) == ["nodejs@20.3", "g++@12"])
            #expect(try await kilnd.send("POST", "\(Self.path)/rollback", body: "{}").status == 202)
            #expect(try await kilnd.send("POST", "\(Self.path)/rollback", body: #"{"generation":1}"#).status == 202)
            #expect(list(try await settled(kilnd)) == ["jq@1.6", "nodejs@20.2", "g++@12"])
            let history: ResourceList<PackageGeneration> = try decode(try await kilnd.send("GET", "\(Self.path)/history"))
            #expect(history.items.map(\.deed) == [.rollback, .rollback, .remove, .update, .add])
        }
    }

    @Test func `what resolves is added and the rest reported; of nothing, or atomically, nothing is`() async throws {
        try await withHello { kilnd, _ in
            let some: PackagesAnswer = try decode(try await kilnd.send("POST", Self.path, body: #"{"packages":["jq","nix","nodejs@18"]}"#))
            #expect(some.changes.map(\.description) == ["+jq 1.7"])
            #expect(some.refused.map { "\($0.package) \($0.problem.code.value)" } == ["nix package-not-found", "nodejs@18 version-not-found"])
            for body in [#"{"packages":["nix"]}"#, #"{"packages":["g++","nix"],"atomic":true}"#] {
                let none = try await kilnd.send("POST", Self.path, body: body)
                #expect(none.status == 404)
                #expect(none.text.contains("There is no package nix."))
            }
            let several = try await kilnd.send("POST", Self.path, body: #"{"packages":["nix","nodejs@18"]}"#)
            let problem: Problem = try decode(several)
            #expect(problem.detail == "There is no package nix.\nThere is no nodejs@18.")
            #expect(list(try await settled(kilnd)) == ["jq@1.7"])
        }
    }

    @Test func `what cannot be had is taken back`() async throws {
        try await withHello { kilnd, _ in
            #expect(try await kilnd.send("POST", Self.path, body: #"{"packages":["bad","jq"]}"#).status == 202)
            let report = try await settled(kilnd)
            #expect(list(report) == ["jq@1.7"])
            #expect(report.status?.failures.map(\.reason.message) == ["It does not run."])
        }
    }

    @Test func `hostile and impossible requests are refused with a sentence`() async throws {
        try await withHello { kilnd, _ in
            for (method, path, body, status, text) in [
                ("POST", "", #"{"packages":["$(id)"]}"#, 400, "is not a package name"),
                ("POST", "", #"{"packages":["../x"]}"#, 400, "not a package name"),
                ("POST", "", #"{"packages":["jq@\";"]}"#, 400, "is not a version"), ("POST", "", "{}", 400, "The field packages is missing."),
                ("POST", "/remove", #"{"packages":["jq"]}"#, 404, "It is empty."), ("POST", "/update", #"{"packages":["jq"]}"#, 404, "It is empty."),
                ("POST", "/rollback", "{}", 404, "never had a package"), ("POST", "/rollback", #"{"generation":7}"#, 404, "package"),
                ("POST", "/sync", #"{"file":"packages: [a b]"}"#, 400, "kiln.yaml:1:12"),
                ("PUT", "", #"{"form":2,"packages":[]}"#, 400, "form 2"), ("GET", "/origins", "", 400, "?item="), ("DELETE", "", "", 405, "only"),
            ] {
                let answer = try await kilnd.send(method, Self.path + path, body: body)
                #expect(answer.status == status, "\(method) \(path) \(body): \(answer.text)")
                #expect(answer.text.contains(text), "\(answer.text)")
            }
            let many = (0..<300).map { "\"p\($0)\"" }.joined(separator: ",")
            #expect(try await kilnd.send("POST", Self.path, body: "{\"packages\":[\(many)]}").status == 400)
        }
    }

    @Test func `a lock makes the same elsewhere, and a file what it says`() async throws {
        try await withHello { kilnd, _ in
            _ = try await kilnd.makeWorkspace("other")
            #expect(try await kilnd.send("POST", Self.path, body: #"{"packages":["jq@1.6"]}"#).status == 202)
            let packages = try await settled(kilnd).packages.map(\.package)
            // It is resolved no more: the engine does not even have it now.
            await kilnd.engine.change { $0.catalogue = $0.catalogue.filter { $0.key.value != "jq" } }
            let lock = String(decoding: try JSONEncoder().encode(PackageLock(packages)), as: UTF8.self)
            let other = "/api/v1/workspaces/other/packages"
            #expect(try await kilnd.send("PUT", other, body: lock).status == 202)
            try await kilnd.wait(other) { $0.contains(#""phase":"Ready""#) }
            let twice = String(decoding: try JSONEncoder().encode(PackageLock(packages + packages)), as: UTF8.self)
            #expect(try await kilnd.send("PUT", other, body: twice).text.contains("in the lock twice"))

            func sync(_ file: String, exact: Bool) async throws -> PackagesAnswer {
                let body = String(decoding: try JSONEncoder().encode(SyncPackages(file: file, exact: exact)), as: UTF8.self)
                return try decode(try await kilnd.send("POST", "\(other)/sync", body: body))
            }
            // jq agrees with the file, so it is not asked for.
            #expect(try await sync("packages: [jq@1.6, nodejs@20]", exact: false).changes.map(\.description) == ["+nodejs 20.2"])
            #expect(try await sync("packages: {nodejs: 20}", exact: false).changes.isEmpty)
            #expect(try await sync("packages: {nodejs: 20}", exact: true).changes.map(\.description) == ["-jq 1.6"])
        }
    }

    @Test func `a file and a lock bring what can be had, and tell of the rest; atomically, all or nothing`() async throws {
        try await withHello { kilnd, _ in
            let file = #""file":"packages: [g++, nix]""#
            let none = try await kilnd.send("POST", "\(Self.path)/sync", body: "{\(file),\"atomic\":true}")
            #expect(none.status == 404 && none.text.contains("nix"))
            #expect(list(try decode(try await kilnd.send("GET", Self.path))) == [])
            let some: PackagesAnswer = try decode(try await kilnd.send("POST", "\(Self.path)/sync", body: "{\(file)}"))
            #expect(some.changes.map(\.description) == ["+g++ 12"])
            #expect(some.refused.map { "\($0.package) \($0.problem.code.value)" } == ["nix package-not-found"])

            _ = try await settled(kilnd)
            #expect(try await kilnd.send("POST", Self.path, body: #"{"packages":["jq","bad"]}"#).status == 202)
            #expect(list(try await settled(kilnd)) == ["g++@12", "jq@1.7"])
            let history: ResourceList<PackageGeneration> = try decode(try await kilnd.send("GET", "\(Self.path)/history"))
            let all = try #require(history.items.first { $0.packages.count == 3 }).packages
            _ = try await kilnd.makeWorkspace("other")
            let other = "/api/v1/workspaces/other/packages"
            let lock = String(decoding: try JSONEncoder().encode(PackageLock(all)), as: UTF8.self)
            #expect(try await kilnd.send("POST", other, body: #"{"packages":["nodejs"]}"#).status == 202)
            try await kilnd.wait(other) { $0.contains(#""phase":"Ready""#) }
            for (query, expected) in [("?atomic=true", ["nodejs@22.1"]), ("", ["g++@12", "jq@1.7"])] {
                #expect(try await kilnd.send("PUT", other + query, body: lock).status == 202)
                try await kilnd.wait(other) { $0.contains("It does not run.") && $0.contains(#""phase":"Ready""#) }
                #expect(list(try decode(try await kilnd.send("GET", other))) == expected, "\(query)")
            }
        }
    }

    @Test func `a workspace is made with packages, or not at all`() async throws {
        try await withHello { kilnd, _ in
            let refused = try await kilnd.send("POST", "/api/v1/workspaces", body: #"{"name":"new","packages":["jq","nix"]}"#)
            #expect(refused.status == 404)
            #expect(try await kilnd.send("GET", "/api/v1/workspaces/new").status == 404)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces", body: #"{"name":"new","packages":["jq","nodejs@20"]}"#).status == 201)
            try await kilnd.wait("/api/v1/workspaces/new") { $0.contains(#""phase":"Running""#) && $0.contains(#""phase":"Ready""#) }
            let report: PackagesReport = try decode(try await kilnd.send("GET", "/api/v1/workspaces/new/packages"))
            #expect(list(report) == ["jq@1.7", "nodejs@20.2"])
        }
    }

    @Test func `the index is searched, and packages are told of`() async throws {
        try await withHello { kilnd, hello in
            let found: ResourceList<PackageSummary> = try decode(try await kilnd.send("GET", "/api/v1/packages?query=j"))
            #expect(found.items.map(\.name.value) == ["jq", "nodejs"])
            let one: ResourceList<PackageSummary> = try decode(
                try await kilnd.send("GET", "/api/v1/packages?query=j&limit=1", from: hello.metadata.id))
            #expect(one.items.count == 1)
            let details: PackageDetails = try decode(try await kilnd.send("GET", "/api/v1/packages/g%2B%2B"))
            #expect(details.name.value == "g++")
            #expect(try await kilnd.send("GET", "/api/v1/packages/nix").status == 404)
            for path in ["packages", "packages?query=", "packages?query=x&limit=0", "packages/..%2Fx"] {
                #expect(try await kilnd.send("GET", "/api/v1/\(path)").status == 400)
            }
        }
    }

    @Test func `a workmachine tells what packages take, and its owner collects garbage`() async throws {
        try await withHello { kilnd, hello in
            #expect(try await kilnd.send("POST", Self.path, body: #"{"packages":["jq"]}"#).status == 202)
            _ = try await settled(kilnd)
            let usage: PackageUsageReport = try decode(try await kilnd.send("GET", "/api/v1/workmachines/local/packages"))
            #expect(usage == PackageUsageReport(store: 1, collectable: 0, workspaces: [.init(workspace: name("hello"), size: 1)]))
            let collect = "/api/v1/workmachines/local/packages/collect"
            let lines = try await kilnd.send("POST", collect).text.split(separator: "\n")
            let last = try JSONDecoder().decode(CollectionLine.self, from: Data(try #require(lines.last).utf8))
            #expect(last == .done(freed: 1, paths: 1, partial: false))
            #expect(try await kilnd.send("POST", collect, from: hello.metadata.id).status == 403)
            #expect(try await kilnd.send("POST", "\(collect)?owner=anna", token: "ben").status == 404)
            #expect(try await kilnd.send("POST", "\(collect)?owner=anna", token: "admin").status == 200)
        }
    }

    @Test func `a workspace manages its own packages, and nobody else's`() async throws {
        try await withHello { kilnd, hello in
            let other = try await kilnd.makeWorkspace("other")
            let (id, body) = (hello.metadata.id, #"{"packages":["jq"]}"#)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/@self/packages", from: id, body: body).status == 202)
            _ = try await settled(kilnd)
            for path in ["packages", "packages/history", "packages/origins?item=jq"] {
                #expect(try await kilnd.send("GET", "/api/v1/workspaces/@self/\(path)", from: id).text.contains("jq"))
            }
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/@self/packages/remove", from: id, body: body).status == 202)
            for (method, path) in [
                ("POST", ""), ("GET", ""), ("GET", "/history"), ("POST", "/remove"), ("POST", "/rollback"), ("GET", "/origins?item=x"),
            ] {
                #expect(try await kilnd.send(method, "/api/v1/workspaces/\(other.metadata.id)/packages\(path)", from: id, body: body).status == 403)
                #expect(try await kilnd.send(method, "/api/v1/workspaces/\(id)/packages\(path)", token: "ben", body: body).status == 404)
            }
        }
    }
}
