import Logging
import NIOCore
import NIOHTTP2

/// Closes a connection whose peer no longer answers pings, and one that broke the protocol. A unix socket tells of a dead peer at once; a
/// stopped one, or a network in between, does not.
final class WireKeepalive: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let interval: TimeAmount
    private let logger: Logger
    private var timer: RepeatedTask?
    /// Pings sent since the last sign of life.
    private var unanswered = 0

    init(interval: TimeAmount, logger: Logger) {
        self.interval = interval
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context: context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelActive(context: ChannelHandlerContext) {
        start(context: context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data).payload {
        case .goAway(_, let code, _):
            logger.warning("the peer gave the connection up", metadata: ["code": "\(code)"])
            context.close(promise: nil)
        default: break
        }
    }

    // Whatever comes is a sign of life: an answer may be queued behind megabytes.
    func channelReadComplete(context: ChannelHandlerContext) {
        unanswered = 0
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        // These concern one stream, which has been told.
        case is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.StreamClosed, is NIOHTTP2Errors.NoSuchStream: break
        case is IOError:
            logger.debug("the socket broke", metadata: ["error": "\(error)"])
            context.close(promise: nil)
        default:
            logger.warning("giving the connection up", metadata: ["error": "\(error)"])
            context.close(promise: nil)
        }
    }

    private func start(context: ChannelHandlerContext) {
        guard timer == nil else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let (handler, context) = bound.value
            handler.ping(context: context)
        }
    }

    private func ping(context: ChannelHandlerContext) {
        guard unanswered < WireSettings.toleratedPings else {
            logger.warning("the peer is silent", metadata: ["pings": "\(unanswered)"])
            context.close(promise: nil)
            return
        }
        unanswered += 1
        context.writeAndFlush(wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(), ack: false))), promise: nil)
    }
}
