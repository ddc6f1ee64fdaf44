import FoundationEssentials
import KilnAPI
import KilnModel
import Testing
import WorkspaceEngine

@Suite(.timeLimit(.minutes(1))) struct InterceptTests {
    private static let compose = """
        services:
          api:
            image: x
            expose: ["8080", "9090"]
            environment:
              STAGE: "a 'b' $$c"
            volumes: ["data:/var/lib/api:ro"]
            configs: [motd]
          db: {image: x, expose: ["5432"]}
        volumes: {data: {}}
        configs: {motd: {content: welcome}}
        """

    /// anna's workspaces hello and other, connected to her environment shop.
    private func withShop(_ body: @escaping @Sendable (ServerFixture, _ hello: Workspace) async throws -> Void) async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let hello = try await kilnd.makeWorkspace("hello")
            _ = try await kilnd.makeWorkspace("other")
            let request = CreateEnvironment(
                name: name("shop"), bundle: .init(sources: .init(files: [.init(path: "compose.yaml", text: Self.compose)])))
            let text = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
            let created = try await kilnd.send("POST", "/api/v1/environments", body: text)
            try #require(created.status == 201, "\(created.text)")
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""phase":"Running""#) }
            for workspace in ["hello", "other"] {
                #expect(try await kilnd.send("POST", "/api/v1/workspaces/\(workspace)/connect", body: #"{"environment":"shop"}"#).status == 202)
                try await kilnd.wait("/api/v1/workspaces/\(workspace)") { $0.contains(#""phase":"Connected""#) }
            }
            try await body(kilnd, hello)
        }
    }

    private func list<Item: Codable & Sendable>(_ kilnd: ServerFixture, _ path: String) async throws -> [Item] {
        try JSONDecoder().decode(ResourceList<Item>.self, from: Data(try await kilnd.send("GET", path).body)).items
    }

    private static let start = #"{"service":"api","ports":[{"port":{"number":8080,"transport":"tcp"},"target":3000}]}"#

    @Test func `an intercept is started, listed, reported with its traffic, taken over and stopped`() async throws {
        try await withShop { kilnd, hello in
            let started = try await kilnd.send("POST", "/api/v1/workspaces/hello/intercept", body: Self.start)
            #expect(started.status == 202)
            let workspace = try JSONDecoder().decode(Workspace.self, from: Data(started.body))
            #expect(workspace.spec.intercepts.map(\.key.description) == ["api:8080"])
            #expect(workspace.spec.intercepts.first?.existing == .drain)
            #expect(workspace.spec.intercepts.first?.fallback == true)
            try await kilnd.wait("/api/v1/workspaces/hello") { $0.contains(#""phase":"Active""#) }

            // Page by page.
            let second = #"{"service":"db","ports":[{"port":{"number":5432},"target":3001}]}"#
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/intercept", body: second).status == 202)
            for path in ["/api/v1/environments/shop/intercepts", "/api/v1/workspaces/hello/intercepts"] {
                let first = try await kilnd.send("GET", "\(path)?limit=1")
                #expect(first.text.contains("8080") && first.text.contains(#""next":"api:8080""#) && !first.text.contains("5432"))
                let rest = try await kilnd.send("GET", "\(path)?limit=1&after=api:8080")
                #expect(rest.text.contains("5432") && !rest.text.contains("next") && !rest.text.contains("8080"))
                #expect(try await kilnd.send("GET", "\(path)?after=api").status == 400)
            }
            // One port of a service, none of its others.
            let other = #"{"service":"db","ports":[{"number":1,"transport":"tcp"}]}"#
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/release", body: other).text.contains("5432"))
            let this = #"{"service":"db","ports":[{"number":5432,"transport":"tcp"}]}"#
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/release", body: this).status == 202)
            try await kilnd.wait("/api/v1/environments/shop/intercepts") { !$0.contains("5432") }

            let summaries: [InterceptSummary] = try await list(kilnd, "/api/v1/environments/shop/intercepts")
            #expect(
                summaries.map { "\($0.owner)/\($0.workspace) \($0.key) \($0.target) \($0.phase.rawValue)" } == ["anna/hello api:8080 3000 Active"])
            let seen = try JSONDecoder().decode(WorkspaceReport.self, from: Data(try await kilnd.send("GET", "/api/v1/workspaces/other/report").body))
            #expect(seen.intercepts == summaries)

            await kilnd.engine.setCallers([
                .init(address: IPv4Address(10, 1, 2, 3), connections: 1), .init(address: AddressPlan.container(2), connections: 5),
                .init(address: AddressPlan.workspace(hello.spec.addressIndex), connections: 2),
            ])
            let reports: [InterceptReport] = try await list(kilnd, "/api/v1/workspaces/hello/intercepts")
            #expect(reports.first?.traffic?.connections == 8)
            #expect(reports.first?.traffic?.bytes == 800)
            #expect(reports.first?.traffic?.callers.map(\.name) == ["db", "anna/hello", "10.1.2.3"])

            let refused = try await kilnd.send("POST", "/api/v1/workspaces/other/intercept", body: Self.start)
            #expect(refused.status == 409)
            #expect(refused.text.contains("intercepted") && refused.text.contains("anna") && refused.text.contains("--take-over"))
            let body = #"{"service":"api","ports":[{"port":{"number":8080}}],"takeOver":true,"fallback":false,"existing":"cut"}"#
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/other/intercept", body: body).status == 202)
            try await kilnd.wait("/api/v1/workspaces/other") { $0.contains(#""phase":"Active""#) }
            let lost: [InterceptReport] = try await list(kilnd, "/api/v1/workspaces/hello/intercepts")
            #expect(lost.map(\.intercept.phase) == [.lost])
            #expect(lost.first?.traffic == nil)

            #expect(try await kilnd.send("POST", "/api/v1/workspaces/other/release", body: #"{"service":"api"}"#).status == 202)
            try await kilnd.wait("/api/v1/workspaces/other") { !$0.contains(#""phase":"Active""#) }
            #expect(try await kilnd.send("GET", "/api/v1/environments/shop/intercepts").text == #"{"items":[]}"#)
        }
    }

    @Test func `what cannot be meant is refused with a sentence`() async throws {
        try await withShop { kilnd, _ in
            let path = "/api/v1/workspaces/hello/intercept"
            for (body, status, text) in [
                (#"{"service":"web"}"#, 404, "It has api, db."), (#"{"service":"api"}"#, 400, "several ports: 8080, 9090"),
                (#"{"service":"Api"}"#, 400, "is not a valid name"), (#"{}"#, 400, "The field service is missing."),
                (#"{"service":"api","ports":[{"target":70000}]}"#, 400, "There is no port 70000."),
                (#"{"service":"api","ports":[{"port":{"number":0},"target":1}]}"#, 400, "There is no port 0."),
                (#"{"service":"api","existing":"burn"}"#, 400, "existing"),
            ] {
                let answer = try await kilnd.send("POST", path, body: body)
                #expect(answer.status == status, "\(body)")
                #expect(answer.text.contains(text), "\(answer.text)")
            }
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/disconnect").status == 202)
            let lonely = try await kilnd.send("POST", path, body: Self.start)
            #expect(lonely.status == 409)
            #expect(lonely.text.contains("not-connected") && lonely.text.contains("kl env connect"))
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/release", body: #"{"service":"api"}"#).status == 404)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/release", body: "{}").status == 202)
        }
    }

    @Test func `a workspace intercepts for itself only, and another owner sees nothing`() async throws {
        try await withShop { kilnd, hello in
            let id = hello.metadata.id
            for path in ["/api/v1/workspaces/hello/intercept", "/api/v1/workspaces/\(id)/release", "/api/v1/workspaces/\(id)/intercept"] {
                #expect(try await kilnd.send("POST", path, token: "ben", body: Self.start).status == 404)
            }
            for path in [
                "environments/shop/intercepts?owner=anna", "environments/shop/surroundings?service=api&owner=anna", "workspaces/\(id)/intercepts",
            ] {
                #expect(try await kilnd.send("GET", "/api/v1/\(path)", token: "ben").status == 404)
            }
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/other/intercept", from: id, body: Self.start).status == 403)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/other/release", from: id, body: "{}").status == 403)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/@self/intercept", from: id, body: Self.start).status == 202)
            try await kilnd.wait("/api/v1/workspaces/hello") { $0.contains(#""phase":"Active""#) }
            #expect(try await kilnd.send("GET", "/api/v1/workspaces/@self/intercepts", from: id).text.contains("8080"))
            #expect(try await kilnd.send("GET", "/api/v1/environments/shop/intercepts", from: id).text.contains("8080"))
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/@self/release", from: id, body: "{}").status == 202)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/intercept?owner=anna", token: "admin", body: Self.start).status == 202)
        }
    }

    @Test func `a service's surroundings are what its environment declares`() async throws {
        try await withShop { kilnd, _ in
            let path = "/api/v1/environments/shop/surroundings"
            let surroundings = try JSONDecoder().decode(
                ServiceSurroundings.self, from: Data(try await kilnd.send("GET", "\(path)?service=api").body))
            #expect(surroundings.variables.map(\.description) == ["STAGE=a 'b' $c"])
            #expect(surroundings.mounts.first == .init(volume: "data", path: "/var/lib/api", readOnly: true))
            #expect(surroundings.mounts.dropFirst().map { "\($0.volume) \($0.path)" } == ["motd /motd"])
            #expect(try await kilnd.send("GET", "\(path)?service=web").text.contains("It has api, db."))
            #expect(try await kilnd.send("GET", path).status == 400)
        }
    }
}
