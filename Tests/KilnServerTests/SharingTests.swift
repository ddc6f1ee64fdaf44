import FoundationEssentials
import KilnAPI
import KilnModel
import Testing
import WorkspaceEngine

/// An environment of anna's that she shares with ben.
@Suite(.timeLimit(.minutes(1))) struct SharingTests {
    private static let compose = """
        services:
          api: {image: x, expose: ["8080"], environment: {PASSWORD: hidden}, command: [run, --token, hidden]}
        """

    private func shop(shared: Bool = true, _ body: @escaping @Sendable (ServerFixture, _ bens: Workspace) async throws -> Void) async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            _ = try await kilnd.apply(Self.compose, status: 201)
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""phase":"Running""#) }
            #expect(try await kilnd.send("POST", "/api/v1/workmachines", token: "ben", body: #"{"name":"local"}"#).status == 201)
            try await kilnd.wait("/api/v1/workmachines/local", token: "ben") { $0.contains(#""phase":"Ready""#) }
            let answer = try await kilnd.send("POST", "/api/v1/workspaces", token: "ben", body: #"{"name":"mine"}"#)
            try await kilnd.wait("/api/v1/workspaces/mine", token: "ben") { $0.contains(#""phase":"Running""#) }
            if shared { #expect(try await kilnd.send("POST", "/api/v1/environments/shop/share", body: #"{"with":["ben"]}"#).status == 202) }
            try await body(kilnd, try JSONDecoder().decode(Workspace.self, from: Data(answer.body)))
        }
    }

    private func connect(_ kilnd: ServerFixture, _ workspace: String, token: String, to environment: String) async throws {
        let path = "/api/v1/workspaces/\(workspace)"
        #expect(try await kilnd.send("POST", "\(path)/connect", token: token, body: #"{"environment":"\#(environment)"}"#).status == 202)
        try await kilnd.wait(path, token: token) { $0.contains(#""phase":"Connected""#) }
    }

    @Test func `until it is shared it is not there`() async throws {
        try await shop(shared: false) { (kilnd: ServerFixture, bens: Workspace) async throws -> Void in
            #expect(try await kilnd.send("GET", "/api/v1/environments/shop?owner=anna", token: "ben").status == 404)
            #expect(try await kilnd.send("GET", "/api/v1/environments", token: "ben").text == #"{"items":[]}"#)
            let body = #"{"environment":"anna/shop"}"#
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/mine/connect", token: "ben", body: body).status == 404)
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/@self/connect", from: bens.metadata.id, body: body).status == 404)
            #expect(
                try await kilnd.send("POST", "/api/v1/environments/shop/share?owner=anna", token: "ben", body: #"{"with":["ben"]}"#).status == 404)
        }
    }

    @Test func `a guest lists, reads without values, and may change nothing`() async throws {
        try await shop { kilnd, bens in
            for path in ["/api/v1/environments", "/api/v1/environments?owner=anna", "/api/v1/environments/shop?owner=anna"] {
                let text = try await kilnd.send("GET", path, token: "ben").text
                #expect(text.contains(#""name":"shop""#) && text.contains("8080") && !text.contains("hidden"), "\(path)")
            }
            #expect(try await kilnd.send("GET", "/api/v1/environments").text.contains("hidden"))
            // Who may answer in its place may ask what it runs with.
            let surroundings = "/api/v1/environments/shop/surroundings?owner=anna&service=api"
            #expect(try await kilnd.send("GET", surroundings, token: "ben").text.contains("PASSWORD=hidden"))
            #expect(try await kilnd.send("GET", "/api/v1/environments/shop?owner=anna", from: bens.metadata.id).status == 200)
            let refused = [
                ("GET", "/logs", ""), ("POST", "/start", ""), ("POST", "/stop", ""), ("POST", "/restart", "{}"), ("DELETE", "", ""),
                ("POST", "/share", #"{"with":["carl"]}"#), ("POST", "/unshare", #"{"with":["ben"]}"#), ("GET", "/settings", ""),
                ("PATCH", "/settings", "{}"), ("GET", "/export", ""), ("POST", "/sessions", ""), ("PUT", "", try kilnd.body(Self.compose)),
            ]
            for (method, action, body) in refused {
                let answer = try await kilnd.send(
                    method, "/api/v1/environments/shop\(action)?owner=anna", token: "ben", body: method == "GET" ? nil : body)
                #expect(answer.status == 403, "\(method) \(action): \(answer.text)")
            }
        }
    }

    @Test func `two owners are connected at once, and one takes over what the other intercepts`() async throws {
        try await shop { kilnd, bens in
            try await connect(kilnd, "hello", token: "anna", to: "shop")
            try await connect(kilnd, "mine", token: "ben", to: "anna/shop")
            let report = try await kilnd.send("GET", "/api/v1/workspaces/mine/report", token: "ben").text
            #expect(report.contains("8080") && !report.contains("hidden"))

            let start = #"{"service":"api"}"#
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/hello/intercept", body: start).status == 202)
            try await kilnd.wait("/api/v1/workspaces/hello") { $0.contains(#""phase":"Active""#) }
            let taken = try await kilnd.send("POST", "/api/v1/workspaces/mine/intercept", token: "ben", body: start)
            #expect(taken.status == 409 && taken.text.contains(#"anna/hello"#) && taken.text.contains("--take-over"), "\(taken.text)")
            let over = try await kilnd.send(
                "POST", "/api/v1/workspaces/@self/intercept", from: bens.metadata.id, body: #"{"service":"api","takeOver":true}"#)
            #expect(over.status == 202, "\(over.text)")
            try await kilnd.wait("/api/v1/workspaces/hello") { $0.contains(#""phase":"Lost""#) && $0.contains("ben/mine took api:8080 over") }
            try await kilnd.wait("/api/v1/workspaces/mine", token: "ben") { $0.contains(#""phase":"Active""#) }
            // Each sees the other by what it does to the services, and not otherwise.
            #expect(try await kilnd.send("GET", "/api/v1/environments/shop/intercepts").text.contains(#""workspace":"mine""#))
            #expect(try await kilnd.send("GET", "/api/v1/workspaces/mine?owner=ben").status == 404)
            #expect(try await kilnd.send("GET", "/api/v1/workspaces/hello?owner=anna", token: "ben").status == 404)
        }
    }

    @Test func `taking it back disconnects at once, and it is not there any more`() async throws {
        try await shop { kilnd, bens in
            try await connect(kilnd, "hello", token: "anna", to: "shop")
            try await connect(kilnd, "mine", token: "ben", to: "anna/shop")
            #expect(try await kilnd.send("POST", "/api/v1/workspaces/mine/intercept", token: "ben", body: #"{"service":"api"}"#).status == 202)
            #expect(try await kilnd.send("POST", "/api/v1/environments/shop/unshare", body: #"{"with":["carl"]}"#).status == 404)
            #expect(try await kilnd.send("POST", "/api/v1/environments/shop/unshare", body: #"{"with":["ben"]}"#).status == 202)
            try await kilnd.wait("/api/v1/workspaces/mine", token: "ben") { !$0.contains("connection") && !$0.contains("Active") }
            #expect(await kilnd.engine.workspaces[bens.metadata.id]?.connection == nil)
            #expect(try await kilnd.send("GET", "/api/v1/environments/shop?owner=anna", token: "ben").status == 404)
            #expect(try await kilnd.send("GET", "/api/v1/environments", token: "ben").text == #"{"items":[]}"#)
            #expect(try await kilnd.send("GET", "/api/v1/workspaces/hello").text.contains(#""phase":"Connected""#))
        }
    }

    @Test func `a guest's event stream tells of it without values, and of its end`() async throws {
        try await shop { kilnd, _ in
            try await RawConnection.with(port: kilnd.port) { connection in
                try await connection.send(
                    "GET /api/v1/events?kind=environments HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(kilnd.ben)\r\n\r\n")
                #expect(try await connection.head().status == 200)
                #expect(try await kilnd.send("POST", "/api/v1/environments/shop/stop").status == 202)
                var text = ""
                while !text.contains(#""desiredState":"stopped""#) { text += String(decoding: try await connection.chunk(), as: UTF8.self) }
                #expect(try await kilnd.send("DELETE", "/api/v1/environments/shop").status == 202)
                while !text.contains("event: deleted") { text += String(decoding: try await connection.chunk(), as: UTF8.self) }
                #expect(!text.contains("hidden"))
            }
        }
    }
}
