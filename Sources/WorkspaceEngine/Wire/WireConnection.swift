import Logging
import NIOCore
import NIOHTTP2
import NIOHPACK

/// The HTTP/2 connection between kilnd (which opens streams) and kiln-agent (which answers them).
struct WireConnection: Sendable {
    let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.AsyncStreamMultiplexer<WireStream>

    /// Makes `channel`, a connected socket on which nothing was read yet, speak HTTP/2. On its event loop.
    init(
        configuring channel: any Channel, role: NIOHTTP2Handler.ParserMode, pingInterval: TimeAmount = WireSettings.pingInterval, logger: Logger
    ) throws {
        self.channel = channel
        multiplexer = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(mode: role, configuration: WireSettings.http2) { stream in
            stream.eventLoop.makeCompletedFuture { try WireStream(configuring: stream) }
        }
        try channel.pipeline.syncOperations.addHandler(WireKeepalive(interval: pingInterval, logger: logger))
    }

    /// The streams that the peer opens; ends with the connection.
    var streams: NIOHTTP2AsyncSequence<WireStream> { multiplexer.inbound }

    /// Opens a stream to do `POST path` on it; `message` is the whole request, or nil when the stream stays open for more.
    func post(_ path: String, message: ByteBuffer? = nil) async throws -> WireStream {
        let stream = try await open { try WireStream(configuring: $0) }
        do {
            try await stream.send(head: Self.request(path), message, end: message != nil)
        } catch {
            stream.reset()
            throw error
        }
        return stream
    }

    /// Opens a stream whose channel `configure` sets up, on the event loop.
    func open<Output: Sendable>(_ configure: @escaping @Sendable (any Channel) throws -> Output) async throws -> Output {
        let connection = channel
        do {
            return try await multiplexer.openStream { stream in
                stream.eventLoop.makeCompletedFuture {
                    // On a dead connection a new stream would wait for its activation for ever.
                    guard connection.isActive else { throw WireError("The connection is closed.") }
                    return try configure(stream)
                }
            }
        } catch {
            throw WireError.wrapping(error)
        }
    }

    static func request(_ path: String) -> HPACKHeaders {
        [":method": "POST", ":scheme": "http", ":authority": "kiln", ":path": path]
    }

    func close() { channel.close(promise: nil) }

    /// Returns when the connection is closed, or the task is cancelled.
    func closed() async {
        try? await channel.closeFuture.result()
    }
}
