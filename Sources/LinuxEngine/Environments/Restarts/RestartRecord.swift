import KilnModel

/// When a service's container is started again after its end. Kept beside the container, so that another agent goes on where this one ended.
/// Pure.
struct RestartRecord: Codable, Equatable, Sendable {
    /// One run of a container, ended or not.
    struct Run: Equatable, Sendable {
        /// Unix times.
        var startedAt: Double
        var finishedAt: Double
        var exitStatus: Int
    }

    /// Seconds before the first new start after an end; each later one waits twice as long.
    static let firstDelay = 0.1
    static let longestDelay = 30.0
    /// Seconds after which a run counts as a good one, and the next end as the first.
    static let steady = 10.0
    /// Starts in vain from which on it is called a crash loop: some programs only die until what they need is there.
    static let loop = 5

    var policy: Service.RestartPolicy
    /// Starts after an end, in all.
    var restarts = 0
    /// Starts since the last good run.
    var attempts = 0
    /// Unix time of the last one.
    var lastAttempt: Double?

    init(policy: Service.RestartPolicy) { self.policy = policy }

    /// How often it has ended in a row, this end included.
    func ends(after run: Run) -> Int { attemptsBefore(run) + 1 }

    /// Unix time of the next start; nil: there is none.
    func nextStart(after run: Run) -> Double? {
        let attempts = attemptsBefore(run)
        switch policy {
        case .no: return nil
        case .always, .unlessStopped: break
        case .onFailure(let maximum):
            guard run.exitStatus != 0, maximum.map({ attempts < $0 }) ?? true else { return nil }
        }
        let delay = attempts < 10 ? min(Self.firstDelay * Double(1 << attempts), Self.longestDelay) : Self.longestDelay
        // An attempt that did not even start the program counts from when it was made.
        return max(run.finishedAt, lastAttempt ?? 0) + delay
    }

    /// After another start was tried.
    func attempted(after run: Run, now: Double) -> RestartRecord {
        var record = self
        record.attempts = attemptsBefore(run) + 1
        record.restarts += 1
        record.lastAttempt = now
        return record
    }

    /// Whether a run that goes on is only the latest of a loop.
    func isLooping(in run: Run, now: Double) -> Bool { attempts >= Self.loop && now - run.startedAt < Self.steady }

    private func attemptsBefore(_ run: Run) -> Int { run.finishedAt - run.startedAt >= Self.steady ? 0 : attempts }
}
