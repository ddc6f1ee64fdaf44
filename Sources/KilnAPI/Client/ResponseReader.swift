internal import NIOCore
internal import NIOHTTP1

/// The reading end of a connection: parts of the answer wait here until somebody asks for them.
///
/// The socket is read only while somebody asks, so a slow reader slows the server down instead of filling memory.
final class ResponseReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private var context: ChannelHandlerContext?
    private var parts: CircularBuffer<HTTPClientResponsePart> = []
    private var waiting: EventLoopPromise<HTTPClientResponsePart?>?
    /// nil while the connection is open.
    private var end: Result<HTTPClientResponsePart?, any Error>?

    /// Whether something of an answer waits to be read, or the connection has ended. On the event loop.
    var hasNews: Bool { !parts.isEmpty || end != nil }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// The next part of the answer, or nil once the connection has ended. On the event loop; one call at a time.
    func next(on loop: any EventLoop) -> EventLoopFuture<HTTPClientResponsePart?> {
        if let part = parts.popFirst() { return loop.makeSucceededFuture(part) }
        if let end { return loop.makeCompletedFuture(end) }
        let promise = loop.makePromise(of: HTTPClientResponsePart?.self)
        waiting = promise
        context?.read()
        return promise.futureResult
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if let promise = waiting {
            waiting = nil
            promise.succeed(part)
        } else {
            parts.append(part)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // A read may bring bytes that complete no part yet.
        if waiting != nil { context.read() }
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.success(nil))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.failure(error))
        context.close(promise: nil)
    }

    private func finish(_ result: Result<HTTPClientResponsePart?, any Error>) {
        guard end == nil else { return }
        end = result
        waiting?.completeWith(result)
        waiting = nil
    }
}
