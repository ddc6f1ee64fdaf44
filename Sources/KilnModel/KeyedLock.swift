/// Lets a limited number of tasks at a time, one unless said otherwise, work on each key; others wait in order. A task cancelled while it waits
/// throws without its turn.
public actor KeyedLock<Key: Hashable & Sendable> {
    private struct Queue {
        var running = 0
        var waiting: [(id: Int, turn: CheckedContinuation<Void, any Error>)] = []
    }

    private let width: Int
    private var queues: [Key: Queue] = [:]
    private var nextID = 0

    /// - Parameter width: how many may work on one key at a time.
    public init(width: Int = 1) { self.width = width }

    public func withLock<Result: Sendable>(_ key: Key, _ body: @Sendable () async throws -> Result) async throws -> Result {
        try await acquire(key)
        defer { release(key) }
        try Task.checkCancellation()
        return try await body()
    }

    private func acquire(_ key: Key) async throws {
        if queues[key, default: Queue()].running < width {
            queues[key, default: Queue()].running += 1
            return
        }
        nextID += 1
        let id = nextID
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                queues[key, default: Queue()].waiting.append((id, continuation))
                if Task.isCancelled { cancel(key, id) }
            }
        } onCancel: {
            Task { await self.cancel(key, id) }
        }
    }

    private func cancel(_ key: Key, _ id: Int) {
        guard let index = queues[key]?.waiting.firstIndex(where: { $0.id == id }) else { return }
        queues[key]?.waiting.remove(at: index).turn.resume(throwing: CancellationError())
    }

    private func release(_ key: Key) {
        guard var queue = queues[key] else { return }
        if queue.waiting.isEmpty {
            queue.running -= 1
            queues[key] = queue.running == 0 ? nil : queue
        } else {
            // The turn passes on, so as many run as before.
            queues[key]?.waiting.removeFirst().turn.resume()
        }
    }
}
