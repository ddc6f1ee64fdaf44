public import KilnModel
public import NIOCore
import NIOHPACK

/// A connection that somebody inside a workspace made to its socket, as it arrives in kilnd.
public struct WorkspaceConnection: Sendable {
    /// The workspace whose socket was used.
    public let workspace: ResourceID
    /// The caller's user id as the workspace sees it, 0 to 65535: 0 is its root.
    public let userID: Int
    /// Plain bytes both ways, with half-closure (`ChannelEvent.inputClosed`, `close(mode: .output)`). No channel option but `autoRead` is
    /// supported. Nothing is read before `open`.
    public let channel: any Channel
    let gate: NIOLoopBound<InputGate>

    /// Sets up the channel's pipeline and then lets the bytes in.
    /// - Parameter configure: adds handlers, on the channel's event loop.
    /// - Throws: what `configure` threw, or `ChannelError` when the connection is closed by now. The channel is closed then.
    public func open<Output: Sendable>(_ configure: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>) async throws -> Output {
        let (channel, gate) = (channel, gate)
        let output = channel.eventLoop.flatSubmit { () -> EventLoopFuture<Output> in
            guard channel.isActive else { return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
            return configure(channel).flatMapThrowing { output in
                try gate.value.open()
                return output
            }
        }
        output.whenFailure { _ in channel.close(promise: nil) }
        return try await output.get()
    }
}

/// Keeps a channel's input back until its pipeline is complete.
final class InputGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private var held: [NIOAny] = []
    private var inputClosed = false
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { held.append(data) }
    func channelReadComplete(context: ChannelHandlerContext) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            inputClosed = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func open() throws {
        guard let context else { throw ChannelError.ioOnClosedChannel }
        for data in held { context.fireChannelRead(data) }
        if !held.isEmpty { context.fireChannelReadComplete() }
        if inputClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        held = []
        let channel = context.channel
        try channel.syncOptions?.setOption(.autoRead, value: true)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        channel.read()
    }
}

extension WorkspaceConnection {
    /// Parks a stream with the agent and waits until it brings a caller.
    static func next(on connection: WireConnection) async throws -> WorkspaceConnection {
        let (channel, head, gate) = try await connection.open { channel in
            try channel.syncOptions?.setOption(.autoRead, value: false)
            let codec = WireStreamCodec(eventLoop: channel.eventLoop)
            let gate = InputGate()
            try channel.pipeline.syncOperations.addHandlers(codec, gate)
            return (channel, codec.head, NIOLoopBound(gate, eventLoop: channel.eventLoop))
        }
        do {
            let sent = channel.eventLoop.makePromise(of: Void.self)
            channel.triggerUserOutboundEvent(WireStreamCodec.SendHead(headers: WireConnection.request(WireNames.accept)), promise: sent)
            try await sent.result()
            let headers = try await head.result()
            guard let workspace = headers.first(name: WireNames.workspace), let user = headers.first(name: WireNames.peerUser).flatMap(UInt16.init)
            else {
                throw WireError("kiln-agent did not say who is calling.")
            }
            return WorkspaceConnection(workspace: try ResourceID(workspace), userID: Int(user), channel: channel, gate: gate)
        } catch {
            channel.triggerUserOutboundEvent(WireStreamCodec.Reset(), promise: nil)
            throw error
        }
    }
}
