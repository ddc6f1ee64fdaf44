import KilnModel
import NIOCore
import NIOPosix
import Testing

extension ServerFixture {
    /// One request through the socket of `workspace`.
    func send(_ method: String, _ path: String, from workspace: ResourceID, body: String = "") async throws -> Answer {
        let callers = callers
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Arrival { callers.yield(MemoryCaller(workspace: workspace, channel: channel)) }
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
