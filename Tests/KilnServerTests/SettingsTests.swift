import FoundationEssentials
import KilnAPI
import KilnModel
import Testing
import WorkspaceEngine

@Suite(.timeLimit(.minutes(1))) struct SettingsTests {
    private static let compose = """
        services:
          api:
            image: api:1
            environment: {GREETING: "${GREETING:-hello}", STAGE: dev, PASSWORD: "${PASSWORD:-none}"}
            secrets: [key]
            configs: [{source: conf, target: /etc/api.conf}]
          db:
            image: postgres:16
            environment: {STAGE: dev}
          cache: {image: redis:7}
        secrets: {key: {external: true}}
        configs: {conf: {content: "from the file"}}
        """

    private func shop(_ body: @escaping @Sendable (ServerFixture, ResourceID) async throws -> Void) async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let id = try #require(try await kilnd.apply(Self.compose, status: 201).environment?.metadata.id)
            try await body(kilnd, id)
        }
    }

    private func change(
        _ kilnd: ServerFixture, _ body: String, query: String = "", status: Int = 202, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> EnvironmentApplication {
        let answer = try await kilnd.send("PATCH", "/api/v1/environments/shop/settings\(query)", body: body)
        try #require(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
        return try JSONDecoder().decode(EnvironmentApplication.self, from: Data(answer.body))
    }

    /// The services that start again, with what differs.
    private func restarts(_ application: EnvironmentApplication) -> [String: [String]] {
        Dictionary(uniqueKeysWithValues: application.plan.steps.filter(\.restarts).map { ($0.service.value, $0.fields) })
    }

    private func variables(_ kilnd: ServerFixture, _ id: ResourceID, _ service: String) async -> [String: String] {
        let found = await kilnd.engine.environments[id]?.services.first { $0.name.value == service }
        return Dictionary((found?.variables ?? []).map { ($0.key, $0.value) }) { $1 }
    }

    private func settled(_ kilnd: ServerFixture, _ application: EnvironmentApplication) async throws {
        let version = application.environment?.metadata.version ?? 0
        try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""observedVersion":\#(version)"#) }
    }

    private static let secret = "c2VjcmV0"  // secret

    @Test func `a variable reaches the services that use it, and only those start again`() async throws {
        try await shop { kilnd, id in
            let filled = try await change(kilnd, #"{"setVariables":["GREETING=salve"]}"#)
            #expect(restarts(filled) == ["api": ["environment"]])
            let declared = try await change(kilnd, #"{"setVariables":["STAGE=test"]}"#)
            #expect(restarts(declared) == ["api": ["environment"], "db": ["environment"]])
            let own = try await change(kilnd, #"{"service":"cache","setVariables":["NEW=1"]}"#)
            #expect(restarts(own) == ["cache": ["environment"]])
            let unused = try await change(kilnd, #"{"setVariables":["NOBODY=1"]}"#)
            #expect(unused.plan.changesNothing)
            try await settled(kilnd, unused)
            let api = await variables(kilnd, id, "api")
            #expect(api["GREETING"] == "salve" && api["STAGE"] == "test" && api["NOBODY"] == nil)
            #expect(await variables(kilnd, id, "cache") == ["NEW": "1"])

            // Another file changes what the file says, not what was set.
            let applied = try await kilnd.apply(
                Self.compose.replacing("api:1", with: "api:2").replacing("STAGE: dev", with: "STAGE: prod"), status: 202)
            #expect(restarts(applied) == ["api": ["image"]])
            let back = try await change(kilnd, #"{"unsetVariables":["STAGE","GREETING"]}"#)
            try await settled(kilnd, back)
            #expect(await variables(kilnd, id, "db")["STAGE"] == "prod")
            #expect(await variables(kilnd, id, "api")["GREETING"] == "hello")
        }
    }

    @Test func `a dry run says the same and changes nothing`() async throws {
        try await shop { kilnd, _ in
            let dry = try await change(kilnd, #"{"setVariables":["STAGE=test"]}"#, query: "?dryRun=true", status: 200)
            #expect(Set(restarts(dry).keys) == ["api", "db"])
            #expect(dry.environment?.metadata.version == 1)
            let report = try await kilnd.send("GET", "/api/v1/environments/shop/settings")
            #expect(!report.text.contains("test"))
        }
    }

    @Test func `an external secret comes from here, its value is told to the engine and to nobody else`() async throws {
        try await shop { kilnd, id in
            let path = "/api/v1/environments/shop"
            #expect(try await kilnd.send("GET", "\(path)/settings").text.contains(#""missingSecrets":["key"]"#))
            let set = try await change(kilnd, #"{"setSecrets":[{"name":"key","value":"\#(Self.secret)"}]}"#)
            #expect(restarts(set) == ["api": ["secrets"]])
            try await settled(kilnd, set)
            #expect(await kilnd.engine.environments[id]?.secrets.map { String(decoding: $0.value.bytes, as: UTF8.self) } == ["secret"])
            // The same once more is no change; another value is.
            #expect(try await change(kilnd, #"{"setSecrets":[{"name":"key","value":"\#(Self.secret)"}]}"#).plan.changesNothing)
            #expect(restarts(try await change(kilnd, #"{"setSecrets":[{"name":"key","value":"b3RoZXI="}]}"#)) == ["api": ["secrets"]])
            // A variable that the file fills, too.
            let variable = try await change(kilnd, #"{"setSecrets":[{"name":"PASSWORD","value":"\#(Self.secret)"}]}"#)
            #expect(restarts(variable).keys.sorted() == ["api"])
            _ = try await kilnd.apply(Self.compose, status: 202)
            for place in ["", "/settings", "/export", "/surroundings?service=api"] {
                let text = try await kilnd.send("GET", path + place).text
                #expect(!text.contains(Self.secret) && !text.contains("b3RoZXI=") && !text.contains(#"=secret"#), "\(place)")
            }
            let inUse = try await kilnd.send("PATCH", "\(path)/settings", body: #"{"unsetSecrets":["key"]}"#)
            #expect(inUse.status == 409 && inUse.text.contains("in-use"))
            let gone = try await change(kilnd, #"{"unsetSecrets":["PASSWORD"]}"#)
            #expect(restarts(gone).keys.sorted() == ["api"])
            try await settled(kilnd, gone)
            #expect(await variables(kilnd, id, "api")["PASSWORD"] == "none")
            // Nothing of it lies in the database as it is.
            let files = try FileManager.default.contentsOfDirectory(atPath: "\(kilnd.directory)/kilnd").filter { $0.hasPrefix("kiln.sqlite") }
            for file in files {
                let bytes = try Data(contentsOf: URL(filePath: "\(kilnd.directory)/kilnd/\(file)"))
                #expect(bytes.range(of: Data(Self.secret.utf8)) == nil && bytes.range(of: Data("b3RoZXI=".utf8)) == nil)
            }
        }
    }

    @Test func `a file takes the place of the one of the Compose file, and goes again`() async throws {
        try await shop { kilnd, id in
            func text() async -> [FileMount.Source] {
                let api = await kilnd.engine.environments[id]?.services.first { $0.name.value == "api" }
                return (api?.files ?? []).filter { $0.path.value == "/etc/api.conf" }.map(\.source)
            }
            let set = try await change(kilnd, #"{"service":"api","setFiles":[{"path":"/etc/api.conf","text":"by command","mode":416}]}"#)
            #expect(restarts(set) == ["api": ["files"]])
            try await settled(kilnd, set)
            #expect(await text() == [.text("by command")])
            let back = try await change(kilnd, #"{"service":"api","unsetFiles":["/etc/api.conf"]}"#)
            try await settled(kilnd, back)
            #expect(await text() == [.text("from the file")])
        }
    }

    @Test func `a whole file of variables is taken, and what is wrong in it is named`() async throws {
        try await shop { kilnd, id in
            let set = try await change(kilnd, ##"{"service":"db","importVariables":"# a comment\nexport A=1\nB='two words'\n"}"##)
            try await settled(kilnd, set)
            #expect(await variables(kilnd, id, "db") == ["STAGE": "dev", "A": "1", "B": "two words"])
            let wrong = try await kilnd.send("PATCH", "/api/v1/environments/shop/settings", body: #"{"importVariables":"A=1\n=2\n"}"#)
            #expect(wrong.status == 400 && wrong.text.contains("the file:2"), "\(wrong.text)")
        }
    }

    @Test(arguments: [
        (#"{"service":"web","setVariables":["A=1"]}"#, 404, "It has api, db, cache."),
        (#"{"setFiles":[{"path":"/a","text":""}]}"#, 400, "service"), (#"{"setVariables":["1A=1"]}"#, 400, "variable name"),
        (#"{"unsetVariables":["A"]}"#, 404, "kl env config list shop"), (#"{"service":"api","unsetFiles":["/a"]}"#, 404, "/a"),
        (#"{"unsetSecrets":["nope"]}"#, 404, "nope"), (#"{"setSecrets":[{"name":"a/b","value":""}]}"#, 400, "invalid-name"),
        (#"{"setSecrets":[{"name":"a","value":"%"}]}"#, 400, "base64"), (#"{"service":"api","setFiles":[{"path":"etc","text":""}]}"#, 400, "path"),
    ])
    func `what makes no sense is refused with a mend and changes nothing`(body: String, status: Int, text: String) async throws {
        try await shop { kilnd, _ in
            let answer = try await kilnd.send("PATCH", "/api/v1/environments/shop/settings", body: body)
            #expect(answer.status == status && answer.text.contains(text), "\(answer.text)")
            #expect(try await kilnd.send("GET", "/api/v1/environments/shop").text.contains(#""version":1"#))
        }
    }

    @Test func `an export makes the same environment elsewhere, secrets only when asked for`() async throws {
        try await shop { kilnd, _ in
            _ = try await change(kilnd, #"{"setVariables":["STAGE=test"],"setSecrets":[{"name":"key","value":"\#(Self.secret)"}]}"#)
            let plain = try await kilnd.send("GET", "/api/v1/environments/shop/export")
            #expect(!plain.text.contains(Self.secret) && plain.text.contains(#""missingSecrets":["key"]"#))
            let whole = try JSONDecoder().decode(
                EnvironmentExport.self, from: Data(try await kilnd.send("GET", "/api/v1/environments/shop/export?secrets=true").body))
            #expect(whole.missingSecrets == [])
            let request = CreateEnvironment(name: name("again"), bundle: whole.bundle, settings: whole.settings)
            let body = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
            let created = try await kilnd.send("POST", "/api/v1/environments", body: body)
            #expect(created.status == 201, "\(created.text)")
            let again = try JSONDecoder().decode(Environment.self, from: Data(created.body))
            let shop = try JSONDecoder().decode(Environment.self, from: Data(try await kilnd.send("GET", "/api/v1/environments/shop").body))
            #expect(again.spec.services == shop.spec.services)
            try await kilnd.wait("/api/v1/environments/again") { $0.contains(#""phase":"Running""#) }
            #expect(await kilnd.engine.environments[again.metadata.id]?.secrets.map { Array($0.value.bytes) } == [Array("secret".utf8)])
            // It goes on as the first would: what was set is known as such.
            #expect(try await kilnd.send("GET", "/api/v1/environments/again/settings").text.contains(#""isSet":true"#))
        }
    }
}
