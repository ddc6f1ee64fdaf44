import Glibc
import KilnModel
public import Logging
import NIOCore
import NIOPosix

/// kilnd's end of the connection: listens for kiln-agent.
///
/// One agent at a time: a new connection means that the agent was restarted, so it replaces the one before.
public struct AgentListener: Sendable {
    /// The connections, newest last; each is closed when the next one arrives. Ends with `run`.
    public let connections: AsyncStream<AgentConnection>
    private let arrivals: AsyncStream<AgentConnection>.Continuation
    private let socketPath: String
    private let agentUserIDs: Set<UInt32>
    private let parkedStreams: Int
    private let logger: Logger
    var pingInterval = WireSettings.pingInterval

    /// - Parameters:
    ///   - socketPath: `Instance.agentSocket`; its directory is made, 0700, if its parent lets us.
    ///   - agentUserIDs: users an agent may have; anybody else is refused.
    ///   - parkedStreams: how many connections from workspaces can arrive at the same instant without waiting a round trip.
    public init(socketPath: String, agentUserIDs: Set<UInt32> = [0], parkedStreams: Int = 4, logger: Logger) {
        (connections, arrivals) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.socketPath = socketPath
        self.agentUserIDs = agentUserIDs
        self.parkedStreams = parkedStreams
        self.logger = logger
    }

    /// Listens until cancelled; to be called once.
    /// - Throws: `KilnError` when it cannot listen.
    public func run() async throws {
        defer { arrivals.finish() }
        try Self.prepareDirectory(of: socketPath)
        let (accepted, continuation) = AsyncStream.makeStream(of: WireConnection.self)
        let listener = try await UnixListener.bind(socketPath, mode: 0o600, group: MultiThreadedEventLoopGroup.singleton) { channel in
            accept(channel).map { continuation.yield($0) }
        }
        logger.info("waiting for kiln-agent", metadata: ["socket": "\(socketPath)"])
        await withDiscardingTaskGroup { group in
            var current: WireConnection?
            for await connection in accepted {
                current?.close()
                current = connection
                group.addTask { await serve(connection) }
            }
            current?.close()
            group.cancelAll()
        }
        await listener.close()
    }

    private func accept(_ channel: any Channel) -> EventLoopFuture<WireConnection> {
        PeerCredentials.userID(of: channel).flatMapThrowing { userID in
            guard agentUserIDs.contains(userID) else {
                logger.warning("refused a stranger at the agent's socket", metadata: ["uid": "\(userID)"])
                throw ChannelError.operationUnsupported
            }
            let connection = try WireConnection(configuring: channel, role: .client, pingInterval: pingInterval, logger: logger)
            try channel.syncOptions?.setOption(.autoRead, value: true)
            return connection
        }
    }

    private func serve(_ connection: WireConnection) async {
        let (callers, continuation) = AsyncStream.makeStream(of: WorkspaceConnection.self)
        logger.info("kiln-agent is connected")
        arrivals.yield(AgentConnection(engine: RemoteEngine(connection: connection), workspaceConnections: callers, connection: connection))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<parkedStreams { group.addTask { await receive(on: connection, continuation) } }
            group.addTask { await connection.closed() }
            await group.next()
            connection.close()
            group.cancelAll()
        }
        continuation.finish()
        logger.info("kiln-agent is gone")
    }

    /// Takes one caller after the other while the connection lives.
    private func receive(on connection: WireConnection, _ continuation: AsyncStream<WorkspaceConnection>.Continuation) async {
        do {
            while true {
                let caller = try await WorkspaceConnection.next(on: connection)
                if case .terminated = continuation.yield(caller) { caller.channel.close(promise: nil) }
            }
        } catch {
            logger.debug("no more callers on this stream", metadata: ["error": "\(error)"])
        }
    }

    /// Makes the socket's directory, for us alone.
    private static func prepareDirectory(of socketPath: String) throws {
        let directory = String(socketPath[..<(socketPath.lastIndex(of: "/") ?? socketPath.startIndex)])
        var status = stat()
        let made = mkdir(directory, 0o700) == 0 || errno == EEXIST
        guard made, lstat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(), chmod(directory, 0o700) == 0
        else {
            throw KilnError(
                .internalError, "The directory \(directory) for kiln-agent's socket cannot be made, or is another user's.",
                hint: "`make up` makes it and gives it to kilnd's user.")
        }
    }
}

/// A connected kiln-agent.
public struct AgentConnection: Sendable {
    public let engine: RemoteEngine
    /// Ends with the connection.
    public let workspaceConnections: AsyncStream<WorkspaceConnection>
    let connection: WireConnection

    /// Returns when the connection is closed, or the task is cancelled.
    public func closed() async { await connection.closed() }

    /// Closes the connection; the agent dials again.
    public func close() { connection.close() }
}
