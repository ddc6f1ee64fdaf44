/// Lets one task at a time work on each key; others wait in order. A task cancelled while it waits throws without its turn.
actor KeyedLock<Key: Hashable & Sendable> {
    private var waiting: [Key: [(id: Int, turn: CheckedContinuation<Void, any Error>)]] = [:]
    private var nextID = 0

    func withLock<Result: Sendable>(_ key: Key, _ body: @Sendable () async throws -> Result) async throws -> Result {
        try await acquire(key)
        defer { release(key) }
        try Task.checkCancellation()
        return try await body()
    }

    private func acquire(_ key: Key) async throws {
        guard waiting[key] != nil else {
            waiting[key] = []
            return
        }
        nextID += 1
        let id = nextID
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiting[key, default: []].append((id, continuation))
                if Task.isCancelled { cancel(key, id) }
            }
        } onCancel: {
            Task { await self.cancel(key, id) }
        }
    }

    private func cancel(_ key: Key, _ id: Int) {
        guard let index = waiting[key]?.firstIndex(where: { $0.id == id }) else { return }
        waiting[key]?.remove(at: index).turn.resume(throwing: CancellationError())
    }

    private func release(_ key: Key) {
        guard let queue = waiting[key] else { return }
        if queue.isEmpty {
            waiting[key] = nil
        } else {
            waiting[key]?.removeFirst().turn.resume()
        }
    }
}
