import Synchronization
import WorkspaceEngine

/// Tells every open `observations` call which resources may have changed.
final class Observers: Sendable {
    private let continuations = Mutex<[Int: AsyncStream<ResourceReference>.Continuation]>([:])

    func notify(_ reference: ResourceReference) {
        continuations.withLock { for continuation in $0.values { continuation.yield(reference) } }
    }

    /// A stream of what is notified from now on. Bounded: a reader that falls behind loses the oldest, and the next reconcile sees all anyway.
    func stream() -> AsyncStream<ResourceReference> {
        AsyncStream(bufferingPolicy: .bufferingNewest(4096)) { continuation in
            let key = continuations.withLock { table in
                let key = (table.keys.max() ?? 0) + 1
                table[key] = continuation
                return key
            }
            continuation.onTermination = { [weak self] _ in self?.continuations.withLock { _ = $0.removeValue(forKey: key) } }
        }
    }
}
