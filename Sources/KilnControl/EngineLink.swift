internal import Synchronization
public import KilnModel
public import WorkspaceEngine

/// The engine, while one is connected. A newer connection takes the place of an older one.
public final class EngineLink: Sendable {
    private struct State {
        var engine: (any WorkspaceEngine)?
        var info: EngineInfo?
        var current = 0
        var lastTicket = 0
    }

    private let state = Mutex(State())

    public init() {}

    public var engine: (any WorkspaceEngine)? { state.withLock { $0.engine } }

    /// What the last connected engine runs on; nil before there was one.
    public var info: EngineInfo? { state.withLock { $0.info } }

    /// - Throws: `engine-unavailable` while none is connected.
    public func required() throws(KilnError) -> any WorkspaceEngine {
        guard let engine else {
            throw KilnError(
                .engineUnavailable, "kiln-agent is not connected, so nothing can be started or asked now; what runs goes on.",
                hint: "Start it with: make up"
            )
        }
        return engine
    }

    /// Tells the connections apart.
    func newTicket() -> Int {
        state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
    }

    func attach(_ engine: any WorkspaceEngine, info: EngineInfo, ticket: Int) {
        state.withLock { state in
            state.engine = engine
            state.info = info
            state.current = ticket
        }
    }

    /// - Returns: whether there is no engine now.
    func detach(ticket: Int) -> Bool {
        state.withLock { state in
            if state.current == ticket { state.engine = nil }
            return state.engine == nil
        }
    }
}
