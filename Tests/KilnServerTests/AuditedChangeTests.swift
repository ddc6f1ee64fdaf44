import FoundationEssentials
import GRDB
import KilnAPI
import KilnModel
import Testing
import WorkspaceEngine

/// Every request that changes the database, once with an audit that cannot be written and once with one that can.
@Suite(.timeLimit(.minutes(2))) struct AuditedChangeTests {
    private struct Change {
        var method = "POST"
        var path: String
        var token = "anna"
        var body: String?
        var status = 202
    }

    /// What has nothing to note along with: it reads, or changes nothing in the database. The volumes are those of an environment that is gone, so their
    /// record has no id.
    private static let others: Set = [
        "inspectCompose", "reportOnCompose", "putContext", "openWorkspaceSession", "openServiceSession", "collectPackages", "deleteVolumes",
    ]

    private static let compose = """
        services:
          api: {image: x, expose: ["8080"], environment: {STAGE: dev}}
        """

    private func prepare(_ kilnd: ServerFixture) async throws {
        try await kilnd.makeMachine()
        let catalogue = [try PackageName("jq"): [try PackageVersion("1.7")]]
        await kilnd.engine.change { $0.catalogue = catalogue }
        _ = try await kilnd.makeWorkspace("hello")
        let steps = [
            ("workmachines", #"{"name":"spare"}"#, 201), ("workspaces/hello/packages", #"{"packages":["jq"]}"#, 202),
            ("environments/shop/share", #"{"with":["ben"]}"#, 202), ("workspaces/hello/connect", #"{"environment":"shop"}"#, 202),
        ]
        _ = try await kilnd.apply(Self.compose, status: 201)
        for (path, body, status) in steps { #expect(try await kilnd.send("POST", "/api/v1/\(path)", body: body).status == status) }
        try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""phase":"Running""#) }
        try await kilnd.wait("/api/v1/workspaces/hello") { $0.contains(#""phase":"Connected""#) }
        try await kilnd.wait("/api/v1/workmachines/spare") { $0.contains(#""phase":"Ready""#) }
    }

    /// In an order in which each can follow the one before.
    private func changes(_ kilnd: ServerFixture, revoking token: String) throws -> [Change] {
        let (hello, shop) = ("/api/v1/workspaces/hello", "/api/v1/environments/shop")
        return [
            Change(path: "/api/v1/workmachines", body: #"{"name":"new"}"#, status: 201),
            Change(path: "/api/v1/workspaces", body: #"{"name":"new"}"#, status: 201),
            Change(path: "/api/v1/environments", body: try kilnd.body(Self.compose, name: "new"), status: 201),
            Change(method: "PUT", path: "/api/v1/environments/newer", body: try kilnd.body(Self.compose, name: "newer"), status: 201),
            Change(method: "PUT", path: shop, body: try kilnd.body(Self.compose.replacing("dev", with: "live"))),
            Change(method: "PATCH", path: "\(shop)/settings", body: #"{"importVariables":"STAGE=test\n"}"#),
            Change(path: "\(shop)/restart", body: "{}"),
            Change(path: "\(shop)/share", body: #"{"with":["carl"]}"#),
            Change(path: "\(shop)/unshare", body: #"{"with":["ben"]}"#),
            Change(method: "PATCH", path: hello, body: #"{"milliCPUs":500}"#, status: 200),
            Change(
                path: "\(hello)/intercept", body: #"{"service":"api","ports":[{"port":{"number":8080,"transport":"tcp"},"target":3000}]}"#),
            Change(path: "\(hello)/release", body: "{}"),
            Change(path: "\(hello)/packages", body: #"{"packages":["jq@1.7"]}"#),
            Change(path: "\(hello)/packages/update", body: "{}"),
            Change(path: "\(hello)/packages/sync", body: #"{"file":"packages: [jq]\n"}"#),
            Change(path: "\(hello)/packages/remove", body: #"{"packages":["jq"]}"#),
            Change(path: "\(hello)/packages/rollback", body: "{}"),
            Change(method: "PUT", path: "\(hello)/packages", body: #"{"form":1,"packages":[]}"#),
            Change(path: "\(hello)/disconnect"),
            Change(path: "\(hello)/connect", body: #"{"environment":"shop"}"#),
            Change(path: "\(hello)/suspend"),
            Change(path: "\(hello)/resume"),
            Change(path: "\(shop)/stop"),
            Change(path: "\(shop)/start"),
            Change(method: "DELETE", path: hello),
            Change(method: "DELETE", path: shop),
            Change(method: "DELETE", path: "/api/v1/workmachines/spare"),
            Change(path: "/api/v1/tokens", token: "admin", body: #"{"owner":"carl","label":"laptop"}"#, status: 201),
            Change(method: "DELETE", path: "/api/v1/tokens/\(token)", token: "admin", status: 204),
        ]
    }

    private func send(_ change: Change, _ kilnd: ServerFixture) async throws -> Answer {
        let headers = change.method == "PATCH" ? ["If-Match": "*"] : [:]
        return try await kilnd.send(change.method, change.path, token: change.token, headers: headers, body: change.body)
    }

    private func execute(_ sql: String, _ kilnd: ServerFixture) throws {
        let queue = try DatabaseQueue(path: "\(kilnd.directory)/kilnd/kiln.sqlite")
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// What is wanted, without what is observed, and which tokens are in force.
    private func wanted(_ kilnd: ServerFixture) throws -> [String] {
        let queue = try DatabaseQueue(path: "\(kilnd.directory)/kilnd/kiln.sqlite")
        defer { do { try queue.close() } catch { Issue.record(error) } }
        return try queue.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT id || version || (document -> '$.spec') FROM resource UNION ALL SELECT id FROM token WHERE revoked_at IS NULL
                    UNION ALL SELECT workspace || number FROM package_generation ORDER BY 1
                    """)
        }
    }

    @Test func `no change without its record, no record without its change`() async throws {
        try await ServerFixture.with { kilnd in
            try await prepare(kilnd)
            let made = try await kilnd.send("POST", "/api/v1/tokens", token: "admin", body: #"{"owner":"carl"}"#)
            let token = try JSONDecoder().decode(NewToken.self, from: Data(made.body)).token.id
            let changes = try changes(kilnd, revoking: token)

            try execute("CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'broken'); END", kilnd)
            let before = try wanted(kilnd)
            for change in changes {
                let answer = try await send(change, kilnd)
                #expect(answer.status == 500, "\(change.method) \(change.path): \(answer.text)")
            }
            #expect(try wanted(kilnd) == before)

            try execute("DROP TRIGGER broken", kilnd)
            let last = try await audit(kilnd, "?limit=1").first?.sequence ?? 0
            for change in changes {
                let answer = try await send(change, kilnd)
                #expect(answer.status == change.status, "\(change.method) \(change.path): \(answer.text)")
            }
            let records = try await audit(kilnd, "?limit=1000").filter { $0.sequence > last }.reversed()
            #expect(records.map(\.status) == changes.map(\.status))
            #expect(records.allSatisfy { $0.subject == nil ? $0.action.hasSuffix("Token") : $0.subject?.id != nil && $0.subject?.name != nil })

            // No route that this test does not know.
            let operations = try await APIDescription.served(at: kilnd.port).operations.filter { !["GET", "HEAD"].contains($0.method) }
            let known = Set(records.map(\.action)).union(Self.others)
            #expect(Set(operations.compactMap { $0.content["operationId"]?.text }) == known)
        }
    }

    private func audit(_ kilnd: ServerFixture, _ query: String) async throws -> [AuditRecord] {
        let answer = try await kilnd.send("GET", "/api/v1/audit\(query)", token: "admin")
        return try JSONDecoder().decode(ResourceList<AuditRecord>.self, from: Data(answer.body)).items
    }
}
