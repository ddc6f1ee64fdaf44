import KilnModel

/// Work that many wait for and nobody needs twice: while it runs all wait for the same, and when it failed a moment ago it is not tried again.
actor Attempt {
    private var running: Task<Void, any Error>?
    private var failure: (error: any Error, at: ContinuousClock.Instant)?
    private let pause: Duration

    /// - Parameter pause: after a failure.
    init(pause: Duration = .seconds(30)) { self.pause = pause }

    /// Does `work`, or waits for it.
    /// - Parameter isWanted: whether it shall be tried though it failed a moment ago.
    func run(evenAfterFailure isWanted: Bool = false, _ work: @escaping @Sendable () async throws -> Void) async throws {
        try await start(isWanted, work).value
    }

    /// As `run`, but gives up waiting after `patience`; the work goes on.
    /// - Returns: whether it is done.
    func run(patience: Duration, _ work: @escaping @Sendable () async throws -> Void) async throws -> Bool {
        let task = try start(false, work)
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            let finished = AsyncStream<Void>.makeStream()
            Task {
                _ = await task.result
                finished.continuation.finish()
            }
            group.addTask {
                for await _ in finished.stream {}
                // Waiting that was given up ends the stream, too.
                if Task.isCancelled { return false }
                try await task.value
                return true
            }
            group.addTask {
                try await Task.sleep(for: patience)
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }

    private func start(_ isWanted: Bool, _ work: @escaping @Sendable () async throws -> Void) throws -> Task<Void, any Error> {
        if let running { return running }
        if !isWanted, let failure, failure.at.duration(to: .now) < pause { throw failure.error }
        let task = Task {
            do {
                try await work()
                finish(nil)
            } catch {
                finish(error)
                throw error
            }
        }
        running = task
        return task
    }

    private func finish(_ error: (any Error)?) {
        running = nil
        failure = error.map { ($0, .now) }
    }
}
