import NIOCore

/// Any NIO channel of bytes, for tasks: whoever reads asks for bytes, whoever writes waits until the kernel has taken them. So a slow reader
/// stops a fast writer, and neither end gathers more than the windows in between.
///
/// One task reads at a time, and one writes. Cancelling a task that waits ends only its waiting; the channel stays as it is.
struct ByteChannel: Sendable {
    let channel: any Channel
    private let reader: NIOLoopBound<ByteChannelReader>

    /// Takes over `channel`, whose `autoRead` must be off and whose half-closure must be allowed. On its event loop.
    init(wrapping channel: any Channel) throws {
        let reader = ByteChannelReader()
        try channel.pipeline.syncOperations.addHandler(reader)
        self.channel = channel
        self.reader = NIOLoopBound(reader, eventLoop: channel.eventLoop)
    }

    /// The next bytes, at most `WireSettings.readSize` of them unless they came in one piece; nil when the peer has ended its side.
    func next() async throws -> ByteBuffer? {
        let promise = channel.eventLoop.makePromise(of: ByteBuffer?.self)
        channel.eventLoop.execute { reader.value.next(promise) }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            channel.eventLoop.execute { reader.value.abandon(promise) }
        }
    }

    /// Sends `bytes`; returns when they have been handed to the kernel.
    func send(_ bytes: ByteBuffer) async throws {
        let sent = channel.eventLoop.makePromise(of: Void.self)
        channel.writeAndFlush(bytes, promise: sent)
        try await sent.result()
    }

    /// Ends our side; the peer's stays open. Returns when the end has been handed to the kernel.
    func finish() async throws {
        let ended = channel.eventLoop.makePromise(of: Void.self)
        channel.close(mode: .output, promise: ended)
        try await ended.result()
    }

    /// Closes both sides.
    func close() { channel.close(promise: nil) }

    /// Returns when the channel is closed, or the task is cancelled.
    func closed() async { try? await channel.closeFuture.result() }
}

extension EventLoopPromise where Value: Sendable {
    /// The result, or `CancellationError` as soon as the task is cancelled; what was to fulfil the promise goes on.
    func result() async throws -> Value {
        try await withTaskCancellationHandler {
            try await futureResult.get()
        } onCancel: {
            // A promise keeps its first result: the operation's own is ignored when it comes later.
            fail(CancellationError())
        }
    }
}

extension EventLoopFuture where Value: Sendable {
    /// The result, or `CancellationError` as soon as the task is cancelled; others who wait for it are left alone.
    func result() async throws -> Value {
        let promise = eventLoop.makePromise(of: Value.self)
        cascade(to: promise)
        return try await promise.result()
    }
}

/// Keeps what has come in until it is asked for, and reads on only then.
final class ByteChannelReader: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private enum End {
        case ended
        case failed(any Error)
    }

    private var queue = CircularBuffer<ByteBuffer>()
    private var end: End?
    private var outputEnded = false
    private var waiting: EventLoopPromise<ByteBuffer?>?
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        finish(.failed(ChannelError.ioOnClosedChannel))
    }

    func next(_ promise: EventLoopPromise<ByteBuffer?>) {
        precondition(waiting == nil, "two tasks read one channel")
        waiting = promise
        if !deliver() { context?.read() }
    }

    func abandon(_ promise: EventLoopPromise<ByteBuffer?>) {
        guard waiting == promise else { return }
        waiting = nil
        promise.fail(CancellationError())
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { queue.append(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) {
        if waiting != nil, !deliver() { context.read() }
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { finish(.ended) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.failed(error))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // A socket whose output was ended closes whole when its input ends, and then NIO leaves `inputClosed` out.
        finish(outputEnded ? .ended : .failed(ChannelError.eof))
        context.fireChannelInactive()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .output: outputEnded = true
        case .all: finish(.failed(ChannelError.ioOnClosedChannel))
        case .input: break
        }
        context.close(mode: mode, promise: promise)
    }

    private func finish(_ end: End) {
        if self.end == nil { self.end = end }
        if waiting != nil { _ = deliver() }
    }

    /// Answers who waits, if there is something to say.
    private func deliver() -> Bool {
        guard let promise = waiting else { return true }
        if var bytes = queue.popFirst() {
            while let more = queue.first, bytes.readableBytes + more.readableBytes <= WireSettings.readSize {
                bytes.writeImmutableBuffer(more)
                queue.removeFirst()
            }
            waiting = nil
            promise.succeed(bytes)
            return true
        }
        switch end {
        case nil: return false
        case .ended: promise.succeed(nil)
        case .failed(let error): promise.fail(error)
        }
        waiting = nil
        return true
    }
}
