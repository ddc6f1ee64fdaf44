import KilnModel
public import Logging
import NIOCore
import NIOPosix

/// kiln-agent's end of the connection: dials kilnd, serves it, and dials again.
public struct AgentDialer: Sendable {
    private let socketPath: String
    private let serverUserID: UInt32
    private let server: EngineServer
    private let logger: Logger

    /// - Parameters:
    ///   - socketPath: `Instance.agentSocket`.
    ///   - serverUserID: the user kilnd runs as; whoever else listens there is refused before a byte is sent.
    public init(socketPath: String, serverUserID: UInt32, server: EngineServer, logger: Logger) {
        self.socketPath = socketPath
        self.serverUserID = serverUserID
        self.server = server
        self.logger = logger
    }

    /// Keeps the connection until cancelled.
    public func run() async {
        var delay = Self.shortestDelay
        var complaint: String?
        while !Task.isCancelled {
            do {
                let connection = try await dial()
                logger.info("connected to kilnd", metadata: ["socket": "\(socketPath)"])
                complaint = nil
                let start = ContinuousClock.now
                await withTaskCancellationHandler {
                    await server.serve(connection)
                } onCancel: {
                    connection.close()
                }
                logger.info("connection to kilnd closed")
                // One that is taken and dropped at once is no reason to hurry.
                if start.duration(to: .now) > Self.longestDelay { delay = Self.shortestDelay }
            } catch {
                // The same cause every two seconds would drown the log.
                let cause = "\(error)"
                if cause != complaint { logger.warning("cannot reach kilnd", metadata: ["socket": "\(socketPath)", "cause": "\(cause)"]) }
                complaint = cause
            }
            do { try await Task.sleep(for: delay) } catch { return }
            delay = min(delay * 2, Self.longestDelay)
        }
    }

    private static let shortestDelay = Duration.milliseconds(50)
    private static let longestDelay = Duration.seconds(2)

    private func dial() async throws -> WireConnection {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .connect(unixDomainSocketPath: socketPath).get()
        do {
            return try await channel.eventLoop.flatSubmit { PeerCredentials.userID(of: channel) }.flatMapThrowing { userID in
                guard userID == serverUserID else {
                    throw KilnError(.notAllowed, "The socket \(socketPath) belongs to user \(userID), not to kilnd's user \(serverUserID).")
                }
                let connection = try WireConnection(configuring: channel, role: .server, logger: logger)
                try channel.syncOptions?.setOption(.autoRead, value: true)
                return connection
            }.get()
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }
}
