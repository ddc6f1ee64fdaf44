import NIOCore
import NIOHPACK
import NIOHTTP2

/// Makes an HTTP/2 stream channel a plain channel of bytes: DATA frames become `ByteBuffer`s, END_STREAM becomes `ChannelEvent.inputClosed`,
/// and `close(mode: .output)` sends END_STREAM. The peer's HEADERS go to `head`; our own are sent by triggering `SendHead`.
///
/// A `close()` ends politely: what was written is sent first, then END_STREAM. `Reset` drops everything at once.
final class WireStreamCodec: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// User outbound event: sends our HEADERS.
    struct SendHead: Sendable { let headers: HPACKHeaders }
    /// User outbound event: RST_STREAM now.
    struct Reset: Sendable {}

    /// The peer's HEADERS.
    let head: EventLoopFuture<HPACKHeaders>
    private let headPromise: EventLoopPromise<HPACKHeaders>
    private var headSeen = false
    private var headSent = false
    private var inputEnded = false
    private var outputEnd: EventLoopFuture<Void>?
    private var context: ChannelHandlerContext?

    init(eventLoop: any EventLoop) {
        headPromise = eventLoop.makePromise()
        head = headPromise.futureResult
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { context.read() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        headPromise.fail(WireError("The stream was closed before it was answered."))
    }

    // Reading starts by itself only up to the head; bytes are read when somebody asks for them.
    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            if !headSeen {
                headSeen = true
                headPromise.succeed(frame.headers)
            }
            if frame.endStream { endInput(context: context) }
        case .data(let frame):
            if !inputEnded, case .byteBuffer(let bytes) = frame.data, bytes.readableBytes > 0 {
                context.fireChannelRead(wrapInboundOut(bytes))
            }
            if frame.endStream { endInput(context: context) }
        default:
            break  // RST_STREAM arrives as an error; the others concern the connection.
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if !headSeen { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        // NIO closes the streams of a lost connection without an error, which would pass for a clean end.
        if !inputEnded {
            let error = WireError("The stream was cut off.")
            headPromise.fail(error)
            context.fireErrorCaught(error)
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        headPromise.fail(WireError.wrapping(error))
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard outputEnd == nil else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(unwrapOutboundIn(data))))), promise: promise)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        switch event {
        case let event as SendHead:
            headSent = true
            context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: event.headers))), promise: promise)
        case is Reset: context.close(promise: promise)
        default: context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .output:
            endOutput(context: context).cascade(to: promise)
        case .input:
            endInput(context: context)
            promise?.succeed()
        case .all where !headSent:
            context.close(promise: promise)
        case .all:
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            endOutput(context: context).whenComplete { _ in
                // The stream has closed by itself when both sides have ended, and its handlers are then gone.
                guard let context = bound.value.context, context.channel.isActive else {
                    promise?.succeed()
                    return
                }
                context.close(promise: promise)
            }
        }
    }

    private func endOutput(context: ChannelHandlerContext) -> EventLoopFuture<Void> {
        if let outputEnd { return outputEnd }
        let promise = context.eventLoop.makePromise(of: Void.self)
        outputEnd = promise.futureResult
        let empty = context.channel.allocator.buffer(capacity: 0)
        context.writeAndFlush(wrapOutboundOut(.data(.init(data: .byteBuffer(empty), endStream: true))), promise: promise)
        return promise.futureResult
    }

    private func endInput(context: ChannelHandlerContext) {
        guard !inputEnded else { return }
        inputEnded = true
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }
}
