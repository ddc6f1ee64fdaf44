internal import WorkspaceEngine

/// How a reconciliation ended.
enum ReconcileOutcome: Sendable, Hashable {
    /// Nothing more to do until something changes.
    case done
    /// It failed; try again later, and later still each time.
    case retry
    /// Look again after so many seconds, should nothing change before.
    case again(after: Double)
}

/// Why a resource is to be looked at.
enum ReconcileCause: Sendable, Hashable {
    /// What it should be has changed, or what it waits for: at once, and failures of the past do not count.
    case changed
    /// It may have changed by itself. While a failed one waits for its next try this changes nothing, or a container that dies at once
    /// would be started as fast as it can die.
    case observed
}

/// Decides what runs when: one at a time for each resource, a bounded number in all, failures after a growing delay. Pure.
struct ReconcileSchedule {
    typealias Key = ResourceReference

    static let firstDelay = 0.25
    static let longestDelay = 30.0

    private let limit: Int
    private var ready: [Key] = []
    private var running: Set<Key> = []
    /// Asked for again while running.
    private var dirty: [Key: ReconcileCause] = [:]
    private var failures: [Key: Int] = [:]
    /// The delayed ones, with the ticket of their delay.
    private var delayed: [Key: (ticket: Int, failed: Bool)] = [:]
    private var lastTicket = 0

    init(limit: Int) { self.limit = limit }

    mutating func request(_ key: Key, _ cause: ReconcileCause) {
        if cause == .changed { failures[key] = nil }
        if running.contains(key) {
            if dirty[key] != .changed { dirty[key] = cause }
            return
        }
        if let delay = delayed[key] {
            guard cause == .changed || !delay.failed else { return }
            delayed[key] = nil
        }
        if !ready.contains(key) { ready.append(key) }
    }

    /// Whether `start` would return one.
    var canStart: Bool { running.count < limit && !ready.isEmpty }

    /// The next one to run, and how often it has failed in a row; nil when there is none or enough are running.
    mutating func start() -> (key: Key, failures: Int)? {
        guard canStart else { return nil }
        let key = ready.removeFirst()
        running.insert(key)
        return (key, failures[key, default: 0])
    }

    /// - Parameter jitter: 0 to 1, so that many which failed together do not come back together.
    /// - Returns: after how many seconds `wake` is wanted, and with which ticket; nil when it is not.
    mutating func finish(_ key: Key, _ outcome: ReconcileOutcome, jitter: Double) -> (delay: Double, ticket: Int)? {
        running.remove(key)
        let again = dirty.removeValue(forKey: key)
        let failed = outcome == .retry
        failures[key] = failed ? failures[key, default: 0] + 1 : nil
        if again == .changed || (again == .observed && !failed) {
            if again == .changed { failures[key] = nil }
            ready.append(key)
            return nil
        }
        let delay: Double
        switch outcome {
        case .done: return nil
        case .again(let seconds): delay = seconds
        case .retry:
            let exponent = min(failures[key, default: 1] - 1, 10)
            let longest = min(Self.firstDelay * Double(1 << exponent), Self.longestDelay)
            delay = longest * (0.5 + 0.5 * jitter)
        }
        lastTicket += 1
        delayed[key] = (lastTicket, failed)
        return (delay, lastTicket)
    }

    /// A delay is over.
    mutating func wake(_ key: Key, ticket: Int) {
        guard delayed[key]?.ticket == ticket else { return }
        delayed[key] = nil
        ready.append(key)
    }
}
