import NIOCore
import NIOHPACK

/// One HTTP/2 stream of the connection, as an engine call or a byte stream uses it. All that fails throws `WireError`, or
/// `CancellationError` when the task was cancelled; a cancelled wait leaves the stream open, `reset()` closes it.
struct WireStream: Sendable, Equatable {
    private let bytes: ByteChannel
    private let headers: EventLoopFuture<HPACKHeaders>

    /// On the event loop of `channel`, an HTTP/2 stream channel.
    init(configuring channel: any Channel) throws {
        // Whoever reads asks for it; otherwise the window would be given back for bytes that nobody wants yet.
        try channel.syncOptions?.setOption(.autoRead, value: false)
        let codec = WireStreamCodec(eventLoop: channel.eventLoop)
        headers = codec.head
        try channel.pipeline.syncOperations.addHandler(codec)
        bytes = try ByteChannel(wrapping: channel)
    }

    /// The peer's header fields.
    func head() async throws -> HPACKHeaders {
        try await wire { try await headers.result() }
    }

    /// Puts our header fields, some bytes and the end of our side in line, whichever are given. Callers on one actor keep their order.
    /// - Returns: fulfilled when all of it has been handed to the kernel.
    func enqueue(head: HPACKHeaders? = nil, _ buffer: ByteBuffer? = nil, end: Bool = false) -> EventLoopPromise<Void> {
        let channel = bytes.channel
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.eventLoop.execute {
            let last = end ? nil : promise
            if let head { channel.triggerUserOutboundEvent(WireStreamCodec.SendHead(headers: head), promise: buffer == nil ? last : nil) }
            if let buffer { channel.writeAndFlush(buffer, promise: last) }
            if end { channel.close(mode: .output, promise: promise) }
        }
        return promise
    }

    /// As `enqueue`, and waits; a full window of the peer makes that long.
    func send(head: HPACKHeaders? = nil, _ buffer: ByteBuffer? = nil, end: Bool = false) async throws {
        try await handed(enqueue(head: head, buffer, end: end))
    }

    /// Waits for what `enqueue` returned.
    func handed(_ promise: EventLoopPromise<Void>) async throws { try await wire { try await promise.result() } }

    /// The next bytes, or nil when the peer has ended its side.
    func next() async throws -> ByteBuffer? { try await wire { try await bytes.next() } }

    /// Everything up to the end of the peer's side.
    func collect(upTo limit: Int) async throws -> ByteBuffer? {
        guard var message = try await next() else { return ByteBuffer() }
        while message.readableBytes <= limit, let more = try await next() { message.writeImmutableBuffer(more) }
        return message.readableBytes <= limit ? message : nil
    }

    /// Closes the stream at once and tells the peer; nothing happens when both sides have ended.
    func reset() { bytes.channel.triggerUserOutboundEvent(WireStreamCodec.Reset(), promise: nil) }

    /// Returns when the stream is closed, by whomever, or the task is cancelled.
    func closed() async { await bytes.closed() }

    static func == (lhs: WireStream, rhs: WireStream) -> Bool { lhs.bytes.channel === rhs.bytes.channel }

    private func wire<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch {
            throw WireError.wrapping(error)
        }
    }
}
