internal import Synchronization

/// Wakes the followers of the feed after a commit.
final class FeedSignal: Sendable {
    private struct State {
        var sequence: Int64 = 0
        var nextKey = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    func advance(to sequence: Int64) {
        let waiters = state.withLock { state in
            state.sequence = Swift.max(state.sequence, sequence)
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns once the feed goes beyond `sequence`.
    /// - Throws: `CancellationError`.
    func wait(beyond sequence: Int64) async throws {
        try Task.checkCancellation()
        let key = state.withLock { state in
            state.nextKey += 1
            return state.nextKey
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state in
                    // The cancellation handler may have run before this; it found nothing to resume then.
                    guard state.sequence <= sequence, !Task.isCancelled else { return true }
                    state.waiters[key] = continuation
                    return false
                }
                if ready { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: key) }?.resume()
        }
        try Task.checkCancellation()
    }
}
