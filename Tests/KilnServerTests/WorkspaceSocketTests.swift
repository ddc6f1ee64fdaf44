import FoundationEssentials
import KilnModel
import NIOCore
import NIOPosix
import Testing

/// The API as it looks from inside a workspace: raw bytes on a channel, and the socket says who asks.
@Suite struct WorkspaceSocketTests {
    /// One request through the socket of `workspace`.
    private func send(_ kilnd: ServerFixture, _ workspace: ResourceID, _ method: String, _ path: String, body: String = "") async throws -> Answer {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Arrival { kilnd.callers.yield(MemoryCaller(workspace: workspace, channel: channel)) }
                    )
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let answer = try await RawConnection.with(port: port) { connection in
            // No token, and any host: neither means anything here.
            try await connection.send(
                "\(method) \(path) HTTP/1.1\r\nHost: kiln\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            return try await connection.answer(hasBody: method != "HEAD")
        }
        try await server.close()
        return answer
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

/// Tells of a connection once it is active: before, it cannot be read.
private final class Arrival: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let arrived: () -> Void

    init(_ arrived: @escaping () -> Void) { self.arrived = arrived }

    func channelActive(context: ChannelHandlerContext) {
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        arrived()
    }
}
