import FoundationEssentials
import KilnModel
import Testing

/// The API as it looks from inside a workspace: raw bytes on a channel, and the socket says who asks.
@Suite struct WorkspaceSocketTests {
    private func send(_ kilnd: ServerFixture, _ workspace: ResourceID, _ method: String, _ path: String, body: String = "") async throws -> Answer {
        try await kilnd.send(method, path, from: workspace, body: body)
    }

    @Test func `a workspace is known by its socket and may do daily work`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let id = try await kilnd.makeWorkspace("hello").metadata.id
            let session = try await send(kilnd, id, "GET", "/api/v1/session")
            #expect(session.text.contains(#""role":"workspace""#))
            #expect(session.text.contains(#""workspace":"hello""#))
            #expect(try await send(kilnd, id, "GET", "/api/v1/workspaces/@self").text.contains(id.value))
            #expect(try await send(kilnd, id, "GET", "/api/v1/workspaces/%40self/report").status == 200)

            let body =
                #"{"name":"shop","bundle":{"sources":{"files":[{"path":"c","text":"services: {db: {image: x}}"}],"texts":{},"#
                + #""absent":[],"variables":{},"profiles":[]},"contexts":{},"copies":{},"secrets":[]}}"#
            #expect(try await kilnd.send("POST", "/api/v1/environments", body: body).status == 201)
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""phase":"Running""#) }
            #expect(try await send(kilnd, id, "GET", "/api/v1/environments").text.contains("shop"))
            #expect(try await send(kilnd, id, "POST", "/api/v1/workspaces/@self/connect", body: #"{"environment":"shop"}"#).status == 202)
            try await kilnd.wait("/api/v1/workspaces/hello") { $0.contains(#""phase":"Connected""#) }
            #expect(try await send(kilnd, id, "POST", "/api/v1/workspaces/@self/disconnect").status == 202)
            #expect(try await send(kilnd, id, "POST", "/api/v1/environments/shop/stop").status == 202)
            #expect(try await send(kilnd, id, "GET", "/api/v1/environments/shop/logs").status == 200)
        }
    }

    @Test func `a workspace may not delete, create, or look into its neighbours`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let id = try await kilnd.makeWorkspace("hello").metadata.id
            _ = try await kilnd.makeWorkspace("other")
            let refused = [
                ("DELETE", "/api/v1/workspaces/@self", ""), ("DELETE", "/api/v1/workspaces/other", ""), ("GET", "/api/v1/workspaces/other", ""),
                ("POST", "/api/v1/workspaces/other/sessions", ""), ("POST", "/api/v1/workspaces/other/suspend", ""),
                ("POST", "/api/v1/workspaces", #"{"name":"new"}"#), ("GET", "/metrics", ""), ("GET", "/api/v1/workmachines/local", ""),
                ("PUT", "/api/v1/contexts/\(String(repeating: "a", count: 64))", "x"), ("PATCH", "/api/v1/workspaces/@self", #"{"version":1}"#),
            ]
            for (method, path, body) in refused {
                #expect(try await send(kilnd, id, method, path, body: body).status == 403, "\(method) \(path)")
            }
            #expect(try await send(kilnd, id, "GET", "/metrics").text.contains("A workspace may not read metrics."))
            let list = try await send(kilnd, id, "GET", "/api/v1/workspaces").text
            #expect(list.contains("hello") && !list.contains("other"))
        }
    }

    @Test func `a socket of a workspace that is gone is closed`() async throws {
        try await ServerFixture.with { kilnd in
            await #expect(throws: (any Error).self) { try await send(kilnd, ResourceID.random(), "GET", "/api/v1/session") }
        }
    }
}
