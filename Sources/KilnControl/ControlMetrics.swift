internal import Synchronization
public import KilnModel

/// How reconciliation has gone since kilnd started.
public final class ControlMetrics: Sendable {
    public struct Tally: Sendable {
        public var count = 0
        public var failures = 0
        /// Seconds in all.
        public var duration = 0.0
    }

    private let tallies = Mutex<[ResourceKind: Tally]>([:])

    init() {}

    public var byKind: [ResourceKind: Tally] { tallies.withLock { $0 } }

    func record(_ kind: ResourceKind, seconds: Double, failed: Bool) {
        tallies.withLock { tallies in
            tallies[kind, default: Tally()].count += 1
            tallies[kind, default: Tally()].duration += seconds
            if failed { tallies[kind, default: Tally()].failures += 1 }
        }
    }
}
