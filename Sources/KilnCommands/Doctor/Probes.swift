internal import KilnModel
internal import NIOCore
internal import NIOPosix

/// Asks a resolver one question over UDP; any answer will do, as it shows that the forwarder is there.
struct ResolverProbe {
    let server: IPv4Address

    /// - Returns: milliseconds until the answer.
    func ask(for name: Name) async throws -> Int {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let milliseconds = try await ask(for: name, on: group)
            try await group.shutdownGracefully()
            return milliseconds
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
    }

    private func ask(for name: Name, on group: MultiThreadedEventLoopGroup) async throws -> Int {
        let remote = try SocketAddress(ipAddress: server.description, port: 53)
        let answer = group.next().makePromise(of: Void.self)
        let channel = try await DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(AnswerHandler(answer)) }
            }
            .connect(to: remote).get()
        let start = ContinuousClock.now
        let late = channel.eventLoop.scheduleTask(in: .seconds(2)) {
            answer.fail(KilnError(.timedOut, "The resolver \(server) does not answer within 2 s.", hint: "kl workspace suspend, then resume"))
        }
        try await channel.writeAndFlush(AddressedEnvelope(remoteAddress: remote, data: ByteBuffer(bytes: Self.question(name))))
        do {
            try await answer.futureResult.get()
        } catch let error as KilnError {
            throw error
        } catch {
            throw KilnError(.probeFailed, "The resolver \(server) refuses: \(error)", hint: "kl workspace suspend, then resume")
        }
        late.cancel()
        try await channel.close()
        return Int((ContinuousClock.now - start) / .milliseconds(1))
    }

    /// A query for the A record of `name` (RFC 1035, section 4.1), recursion desired.
    static func question(_ name: Name) -> [UInt8] {
        let label = Array(name.value.utf8)
        return [0x4b, 0x6c, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, UInt8(label.count)] + label + [0, 0, 1, 0, 1]
    }

    private final class AnswerHandler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        private let answer: EventLoopPromise<Void>

        init(_ answer: EventLoopPromise<Void>) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { answer.succeed(()) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { answer.fail(error) }
    }
}

/// Opens a TCP connection to a service by its name, as a program in the workspace would.
enum ConnectionProbe {
    /// - Returns: the address the name stands for.
    static func open(service: Name, port: UInt16) async throws -> String {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let channel = try await ClientBootstrap(group: group).connectTimeout(.seconds(2)).connect(host: service.value, port: Int(port)).get()
            let address = channel.remoteAddress?.ipAddress ?? "unknown"
            try await channel.close()
            try await group.shutdownGracefully()
            return address
        } catch {
            try await group.shutdownGracefully()
            throw KilnError(.probeFailed, "\(service) does not answer on port \(port): \(error)", hint: "kl env logs and kl env status say more")
        }
    }
}
