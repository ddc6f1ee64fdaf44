public import KilnModel
public import Logging
public import NIOCore

/// Where the connections that workspaces make to their sockets meet the streams that kilnd keeps parked for them. The agent never looks
/// into the bytes it carries.
public actor WorkspaceForwarder {
    private struct Caller: Sendable {
        let bytes: ByteChannel
        let workspace: ResourceID
        /// As the workspace sees it: 0 is its root.
        let userID: UInt32
    }

    private let logger: Logger
    private let callers: AsyncStream<Caller>
    private let arrivals: AsyncStream<Caller>.Continuation
    private var isConnected = false
    private var parked: [WireStream] = []
    private var waiting: [CheckedContinuation<WireStream?, Never>] = []

    public init(logger: Logger) {
        self.logger = logger
        (callers, arrivals) = AsyncStream.makeStream(of: Caller.self)
    }

    /// Carries connections until cancelled; to be run once.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for await caller in callers { group.addTask { await self.forward(caller) } }
        }
    }

    /// Takes a connection to the socket of `workspace`, on its event loop and with nothing read yet.
    /// - Parameter userIDs: the host's user ids that `workspace` has; any other caller is refused, by closing.
    public nonisolated func accept(_ channel: any Channel, workspace: ResourceID, userIDs: Range<Int>) -> EventLoopFuture<Void> {
        PeerCredentials.userID(of: channel).flatMapThrowing { userID in
            guard userIDs.contains(Int(userID)) else {
                self.logger.warning("refused a stranger at a workspace's socket", metadata: ["workspace": "\(workspace)", "uid": "\(userID)"])
                throw ChannelError.operationUnsupported
            }
            let caller = Caller(bytes: try ByteChannel(wrapping: channel), workspace: workspace, userID: userID - UInt32(userIDs.lowerBound))
            self.arrivals.yield(caller)
        }
    }

    /// kilnd is there: callers wait for a stream.
    func connect() { isConnected = true }

    /// kilnd is gone: callers are told so.
    func disconnect() {
        isConnected = false
        parked = []
        for continuation in waiting { continuation.resume(returning: nil) }
        waiting = []
    }

    /// Keeps a stream for the next caller; returns when the stream is closed.
    func park(_ stream: WireStream) async {
        if waiting.isEmpty {
            parked.append(stream)
        } else {
            waiting.removeFirst().resume(returning: stream)
        }
        await stream.closed()
        parked.removeAll { $0 == stream }
    }

    private func take() async -> WireStream? {
        guard isConnected else { return nil }
        if !parked.isEmpty { return parked.removeFirst() }
        return await withCheckedContinuation { waiting.append($0) }
    }

    private func forward(_ caller: Caller) async {
        defer { caller.bytes.close() }
        while let stream = await take() {
            defer { stream.reset() }
            do {
                try await stream.send(head: [
                    ":status": "200", WireNames.workspace: caller.workspace.value, WireNames.peerUser: "\(caller.userID)",
                ])
            } catch {
                continue  // This stream died while it was parked; nothing was lost yet.
            }
            do {
                try await Self.join(caller.bytes, stream)
            } catch {
                logger.debug("a workspace's connection broke", metadata: ["workspace": "\(caller.workspace)", "error": "\(error)"])
            }
            return
        }
        await Absence.tell(caller.bytes)
    }

    private enum End { case answered, callerGone }

    /// Carries bytes both ways until both sides have ended. A caller that only ended its side gets its answer; for one that is gone, nothing
    /// more is carried.
    private static func join(_ caller: ByteChannel, _ stream: WireStream) async throws {
        try await withThrowingTaskGroup(of: End.self) { group in
            group.addTask {
                while let bytes = try await caller.next() { try await stream.send(bytes) }
                try await stream.send(end: true)
                await caller.closed()
                return .callerGone
            }
            group.addTask {
                while let bytes = try await stream.next() { try await caller.send(bytes) }
                try await caller.finish()
                return .answered
            }
            while try await group.next() == .answered {}
            group.cancelAll()
        }
    }
}
