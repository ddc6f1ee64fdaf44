public import KilnModel
public import NIOCore
public import WorkspaceEngine

/// A connection that somebody inside a workspace made to its socket.
public protocol WorkspaceCaller: Sendable {
    /// Whose socket it was: this is who asks.
    var workspace: ResourceID { get }
    /// Sets up the pipeline of the connection's channel, and lets bytes in only then.
    func open<Output: Sendable>(_ configure: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>) async throws -> Output
}

/// A connected engine and what comes through it.
public protocol EngineConnection: Sendable {
    associatedtype Engine: WorkspaceEngine
    associatedtype Callers: AsyncSequence & Sendable where Callers.Element: WorkspaceCaller, Callers.Failure == Never
    var engine: Engine { get }
    /// Ends with the connection.
    var workspaceConnections: Callers { get }
    /// Returns when the connection is closed, or the task cancelled.
    func closed() async
}

extension WorkspaceConnection: WorkspaceCaller {}
extension AgentConnection: EngineConnection {}
