import Glibc
public import KilnModel
import Synchronization

/// Learns at once when a listener in a workspace ends: its program died, or closed it.
///
/// It says what may have changed, not what is: look then. Where nobody listens any more may be a listener again. Of its start the kernel tells
/// nobody. Sockets that were shut down and stay open are not told of either.
public final class ListenerWatch: Sendable {
    public enum Change: Hashable, Sendable {
        /// A listener or unconnected socket with this local port is no more.
        case ended(workspace: ResourceID, port: ServicePort)
        /// More happened than could be kept: look at everything in this workspace.
        case missed(workspace: ResourceID)

        public var workspace: ResourceID {
            switch self {
            case .ended(let workspace, _), .missed(let workspace): workspace
            }
        }
    }

    /// What happened since the last element, each change once; ends with the watch. For one reader.
    public let changes: AsyncStream<Set<Change>>

    private let state: ListenerWatchState

    /// Starts the thread that waits for all workspaces together.
    public init() throws(KilnError) {
        do { state = try ListenerWatchState() } catch let error as SystemCallError { throw error.kilnError } catch {
            throw KilnError(.engineFailed, "The watch for listeners could not be started: \(error)")
        }
        let state = state
        changes = AsyncStream(unfolding: { await state.next() })
        try DedicatedThread.start { state.run() }
    }

    deinit { state.stop() }

    /// Begins to watch a workspace's namespace. Watched already: nothing to do, unless the namespace was deleted and made again.
    ///
    /// Watch first, then look at what listens: nothing is missed.
    public func watch(_ workspace: ResourceID, _ namespace: NetworkNamespace) async throws {
        let state = state
        try await DedicatedThread.run { try state.watch(workspace, namespace) }
    }

    /// Ends the watch of a workspace: before its namespace is removed, or the namespace would live on unseen.
    public func forget(_ workspace: ResourceID) { state.forget(workspace) }
}
