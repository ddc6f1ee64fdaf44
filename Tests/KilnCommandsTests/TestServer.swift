import KilnAPI
import NIOCore
import NIOHTTP1
import NIOPosix

/// A small real HTTP/1.1 server whose answers a test writes.
struct TestServer: Sendable {
    typealias Inbound = NIOAsyncChannelInboundStream<HTTPServerRequestPart>
    typealias Outbound = NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>

    let endpoint: Endpoint
    let seen: Seen

    /// What arrived.
    actor Seen {
        private(set) var connections = 0
        private(set) var requests: [HTTPRequestHead] = []

        func connected() { connections += 1 }
        func requested(_ head: HTTPRequestHead) { requests.append(head) }
    }

    /// One request and its answer.
    final class Exchange {
        let head: HTTPRequestHead
        /// How many requests came before it, on any connection.
        let number: Int
        fileprivate var parts: Inbound.AsyncIterator
        private let out: Outbound
        private(set) var isRead = false

        fileprivate init(head: HTTPRequestHead, number: Int, parts: Inbound.AsyncIterator, out: Outbound) {
            self.head = head
            self.number = number
            self.parts = parts
            self.out = out
        }

        var path: String { String(head.uri.prefix { $0 != "?" }) }

        /// The next piece of the request's body; nil at its end.
        func next() async throws -> [UInt8]? {
            guard !isRead else { return nil }
            if case .body(let buffer) = try await parts.next() { return Array(buffer.readableBytesView) }
            isRead = true
            return nil
        }

        func body() async throws -> [UInt8] {
            var bytes: [UInt8] = []
            while let piece = try await next() { bytes += piece }
            return bytes
        }

        func begin(_ status: HTTPResponseStatus = .ok, type: String = "application/json", length: Int? = nil) async throws {
            var headers = HTTPHeaders([("Content-Type", type)])
            if let length {
                headers.add(name: "Content-Length", value: "\(length)")
            } else {
                headers.add(name: "Transfer-Encoding", value: "chunked")
            }
            try await out.write(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)))
        }

        func write(_ bytes: [UInt8]) async throws { try await out.write(.body(.byteBuffer(ByteBuffer(bytes: bytes)))) }

        func end() async throws { try await out.write(.end(nil)) }

        func answer(type: String = "application/json", _ text: String) async throws { try await answer(.ok, type: type, text) }

        func answer(_ status: HTTPResponseStatus, type: String = "application/json", _ text: String) async throws {
            _ = try await body()
            try await begin(status, type: type, length: text.utf8.count)
            if head.method != .HEAD { try await write(Array(text.utf8)) }
            try await end()
        }
    }

    /// Hangs up without another word.
    struct HangUp: Error {}

    /// Runs `body` beside a server on a free port of the loopback, or on `socket`.
    static func run<Value: Sendable>(
        socket: String? = nil, _ answer: @escaping @Sendable (Exchange) async throws -> Void, _ body: @Sendable (TestServer) async throws -> Value
    ) async throws -> Value {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        let wrap: @Sendable (any Channel) -> EventLoopFuture<NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>> = { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
            }
        }
        let listener =
            if let socket {
                try await bootstrap.bind(unixDomainSocketPath: socket, childChannelInitializer: wrap)
            } else {
                try await bootstrap.bind(host: "127.0.0.1", port: 0, childChannelInitializer: wrap)
            }
        let seen = Seen()
        let endpoint = try Endpoint(socket.map { "unix://\($0)" } ?? "http://127.0.0.1:\(listener.channel.localAddress?.port ?? 0)")
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await listener.executeThenClose { clients in
                    try await withThrowingDiscardingTaskGroup { group in
                        for try await client in clients { group.addTask { await serve(client, seen, answer) } }
                    }
                }
            }
            defer { group.cancelAll() }
            return try await body(TestServer(endpoint: endpoint, seen: seen))
        }
    }

    private static func serve(
        _ client: NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>, _ seen: Seen, _ answer: @Sendable (Exchange) async throws -> Void
    ) async {
        await seen.connected()
        // A client that goes away, or a test that hangs up, ends the connection; what matters is what the client makes of it.
        try? await client.executeThenClose { inbound, outbound in
            var parts = inbound.makeAsyncIterator()
            while case .head(let head) = try await parts.next() {
                let number = await seen.requests.count
                await seen.requested(head)
                let exchange = Exchange(head: head, number: number, parts: parts, out: outbound)
                try await answer(exchange)
                _ = try await exchange.body()
                parts = exchange.parts
            }
        }
    }
}
