internal import Glibc
internal import KilnModel
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// One HTTP/1.1 connection to kilnd; one exchange at a time.
struct Connection: Sendable {
    let channel: any Channel
    private let reader: NIOLoopBound<ResponseReader>

    /// - Throws: `KilnError` with `engine-unavailable` when nothing answers.
    static func open(to endpoint: Endpoint, on group: any EventLoopGroup) async throws -> Connection {
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(.seconds(5))
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.autoRead, value: false)
        let setUp: @Sendable (any Channel) -> EventLoopFuture<Connection> = { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
                let reader = ResponseReader()
                try channel.pipeline.syncOperations.addHandler(reader)
                return Connection(channel: channel, reader: NIOLoopBound(reader, eventLoop: channel.eventLoop))
            }
        }
        do {
            switch endpoint {
            case .tcp(let host, let port):
                let bootstrap = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
                // An address needs no resolver, which would be a thread of its own.
                guard let address = try? SocketAddress(ipAddress: host, port: port) else {
                    return try await bootstrap.connect(host: host, port: port, channelInitializer: setUp)
                }
                return try await bootstrap.connect(to: address, channelInitializer: setUp)
            case .unix(let path):
                return try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: setUp)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw KilnError.noAnswer(at: endpoint, because: error)
        }
    }

    var isOpen: Bool { channel.isActive }

    /// Returns when the socket took the parts, so that the caller goes no faster than the server reads.
    func send(_ parts: HTTPClientRequestPart...) async throws {
        for part in parts.dropLast() { channel.write(part, promise: nil) }
        guard let last = parts.last else { return }
        try await channel.writeAndFlush(last).get()
    }

    /// Whether the server has said something, or hung up, before it was asked to.
    func hasNews() async throws -> Bool {
        try await channel.eventLoop.submit { reader.value.hasNews }.get()
    }

    /// The next part of the answer, or nil at the connection's end. Cancelling closes the connection.
    func next() async throws -> HTTPClientResponsePart? {
        try await withTaskCancellationHandler {
            let part: Result<HTTPClientResponsePart?, any Error>
            do {
                part = .success(try await channel.eventLoop.flatSubmit { reader.value.next(on: channel.eventLoop) }.get())
            } catch {
                part = .failure(error)
            }
            // A connection closed by the cancellation looks broken; why it is closed counts.
            try Task.checkCancellation()
            return try part.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    func close() async {
        // The only failure is that it is closed already.
        try? await channel.close()
    }
}

extension KilnError {
    static func noAnswer(at endpoint: Endpoint, because error: any Error) -> KilnError {
        let hint = if case .unix = endpoint { "again in a moment; if that does not help, make up on the host" } else { "make up" }
        return KilnError(.engineUnavailable, "kilnd does not answer at \(endpoint): \(reason(of: error)).", hint: hint)
    }

    static func brokenOff(at endpoint: Endpoint, because error: (any Error)? = nil) -> KilnError {
        let cause = error.map { ": \(reason(of: $0))" } ?? ""
        return KilnError(.engineUnavailable, "The connection to kilnd at \(endpoint) broke off\(cause).", hint: "kl doctor")
    }

    private static func reason(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            error.dnsAError != nil && error.connectionErrors.isEmpty
                ? "the host's name does not resolve" : error.connectionErrors.last.map { reason(of: $0.error) } ?? "no address"
        case let error as IOError:
            switch error.errnoCode {
            case ENOENT: "there is no such socket"
            case EACCES: "this user may not use the socket"
            case ECONNRESET, EPIPE: "it was closed from there"
            case ECONNREFUSED: "connection refused"
            default: "error \(error.errnoCode), \(error)"
            }
        case ChannelError.connectTimeout: "no answer within 5 s"
        case HTTPParserError.invalidEOFState: "it ended in the middle of an answer"
        case is HTTPParserError: "what answers there does not speak HTTP"
        default: "\(error)"
        }
    }
}
