import FoundationEssentials
import KilnAPI
import KilnModel
import Testing

/// `PUT` of an environment.
@Suite struct ApplicationTests {
    static let first = """
        services:
          db:
            image: postgres:16
          old:
            image: redis:7
          api:
            image: api:1
            environment: {GREETING: "${GREETING:-hello}"}
        """
    static let second = """
        services:
          api:
            image: api:2
            environment: {GREETING: "${GREETING:-hello}"}
          db:
            image: postgres:16
            expose: ["5432"]
          web:
            image: nginx:1
        """

    @Test func `makes what is not there, then changes only what differs, and services keep their addresses`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let created = try await kilnd.apply(Self.first, status: 201)
            #expect(created.plan.steps.map(\.action) == [.create, .create, .create])
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""phase":"Running""#) }

            let dry = try await kilnd.apply(Self.second, query: "?dryRun=true", status: 200)
            #expect(dry.plan.steps.map(\.action) == [.change, .change, .create, .remove])
            #expect(dry.plan.steps.map(\.restarts) == [true, false, false, false])
            #expect(dry.environment?.metadata.version == 1)

            let applied = try await kilnd.apply(Self.second, status: 202)
            #expect(applied.plan == dry.plan)
            let indexes = try #require(applied.environment).spec.services.map { [$0.name.value: $0.addressIndex] }
            #expect(indexes == [["api": 3], ["db": 1], ["web": 2]])
            let id = try #require(applied.environment?.metadata.id)
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""phase":"Running""#) && $0.contains(#""observedVersion":2"#) }
            #expect(await kilnd.engine.environments[id]?.services.map(\.name.value) == ["api", "db", "web"])

            let again = try await kilnd.apply(Self.second, status: 202)
            #expect(again.plan.changesNothing)
            #expect(again.environment?.metadata.version == 2)
        }
    }

    @Test func `restarting counts, for the services that are named or all of them`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let id = try #require(try await kilnd.apply(Self.first, status: 201).environment?.metadata.id)
            let path = "/api/v1/environments/shop/restart"
            #expect(try await kilnd.send("POST", path, body: #"{"services":["db","db"]}"#).status == 202)
            let all = try await kilnd.send("POST", path, body: "{}")
            #expect(
                try JSONDecoder().decode(Environment.self, from: Data(all.body)).spec.generations == [name("db"): 2, name("old"): 1, name("api"): 1])
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""observedVersion":3"#) }
            #expect(await kilnd.engine.environments[id]?.generations[name("db")] == 2)
            #expect(try await kilnd.send("POST", path, body: #"{"services":["web"]}"#).status == 404)
            #expect(try await kilnd.send("POST", "/api/v1/environments/shop/stop").status == 202)
            #expect(try await kilnd.send("POST", path, body: "{}").status == 409)
        }
    }

    @Test func `a dry run of what is not there makes nothing`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let dry = try await kilnd.apply(Self.first, query: "?dryRun=true", status: 200)
            #expect(dry.plan.steps.map(\.action) == [.create, .create, .create])
            #expect(dry.environment == nil)
            #expect(try await kilnd.send("GET", "/api/v1/environments/shop").status == 404)
        }
    }

    @Test func `what is refused changes nothing`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.apply(Self.first, status: 201)
            let body = try kilnd.body("services:\n  db:\n    imago: x\n")
            #expect(try await kilnd.send("PUT", "/api/v1/environments/shop", body: body).text.contains("compose.yaml:3"))
            let renamed = try kilnd.body(Self.second, name: "market")
            #expect(try await kilnd.send("PUT", "/api/v1/environments/shop", body: renamed).text.contains("cannot be renamed"))
            #expect(try await kilnd.send("PUT", "/api/v1/environments/other", body: try kilnd.body(Self.second)).status == 404)
            #expect(
                try await kilnd.send("PUT", "/api/v1/environments/shop?owner=anna", token: "ben", body: try kilnd.body(Self.second)).status == 404)
            #expect(try await kilnd.send("GET", "/api/v1/environments/shop").text.contains(#""version":1"#))
        }
    }
}

extension ServerFixture {
    func body(_ compose: String, name text: String = "shop", variables: [String: String] = [:]) throws -> String {
        let sources = ComposeSources(files: [.init(path: "compose.yaml", text: compose)], variables: variables)
        let request = CreateEnvironment(name: name(text), bundle: ComposeBundle(sources: sources))
        return String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
    }

    func apply(_ compose: String, query: String = "", status: Int) async throws -> EnvironmentApplication {
        let answer = try await send("PUT", "/api/v1/environments/shop\(query)", body: try body(compose))
        try #require(answer.status == status, "\(answer.text)")
        return try JSONDecoder().decode(EnvironmentApplication.self, from: Data(answer.body))
    }
}
