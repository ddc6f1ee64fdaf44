internal import Synchronization

/// Counts and durations of requests since kilnd started.
final class RequestMetrics: Sendable {
    /// Upper bounds in seconds.
    static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

    struct Key: Hashable, Sendable {
        let route: String
        let method: String
        let status: Int
    }

    struct Histogram: Sendable {
        /// How many took at most as long as each bound, not counting those of the bounds before.
        var buckets = [Int](repeating: 0, count: RequestMetrics.bounds.count)
        var count = 0
        /// Seconds.
        var sum = 0.0
    }

    private let histograms = Mutex<[Key: Histogram]>([:])

    func record(route: String, method: String, status: Int, seconds: Double) {
        let bucket = Self.bounds.firstIndex { seconds <= $0 }
        // What the client makes up must not make the table grow.
        let method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(method) ? method : "other"
        let key = Key(route: route, method: method, status: status)
        histograms.withLock { histograms in
            histograms[key, default: Histogram()].count += 1
            histograms[key, default: Histogram()].sum += seconds
            if let bucket { histograms[key, default: Histogram()].buckets[bucket] += 1 }
        }
    }

    var all: [(key: Key, histogram: Histogram)] {
        histograms.withLock { Array($0) }.map { ($0.key, $0.value) }.sorted {
            ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
        }
    }
}
