internal import Synchronization
internal import WorkspaceEngine

/// Runs reconciliations as `ReconcileSchedule` says.
final class ReconcileQueue: Sendable {
    typealias Key = ResourceReference

    private struct State {
        var schedule: ReconcileSchedule
        /// The runner, when there is nothing for it to start.
        var idle: CheckedContinuation<Void, Never>?
    }

    private let state: Mutex<State>

    /// - Parameter limit: how many run at once.
    init(limit: Int) { state = Mutex(State(schedule: ReconcileSchedule(limit: limit))) }

    func request(_ key: Key, _ cause: ReconcileCause) { change { $0.request(key, cause) } }

    /// Runs until cancelled; then waits for what is running.
    /// - Parameter work: gets how often the resource has failed in a row.
    func run(_ work: @escaping @Sendable (Key, _ failures: Int) async -> ReconcileOutcome) async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                guard let next = state.withLock({ $0.schedule.start() }) else {
                    await waitForWork()
                    continue
                }
                group.addTask {
                    let outcome = await work(next.key, next.failures)
                    await self.finish(next.key, outcome)
                }
            }
            group.cancelAll()
        }
    }

    private func finish(_ key: Key, _ outcome: ReconcileOutcome) async {
        let wake = change { $0.finish(key, outcome, jitter: Double.random(in: 0...1)) }
        guard let wake else { return }
        do {
            try await Task.sleep(for: .seconds(wake.delay))
        } catch {
            return
        }
        change { $0.wake(key, ticket: wake.ticket) }
    }

    private func change<Value: Sendable>(_ body: (inout ReconcileSchedule) -> Value) -> Value {
        let (value, idle) = state.withLock { state in
            let value = body(&state.schedule)
            defer { state.idle = nil }
            return (value, state.idle)
        }
        idle?.resume()
        return value
    }

    private func waitForWork() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state in
                    guard !Task.isCancelled, !state.schedule.canStart else { return true }
                    state.idle = continuation
                    return false
                }
                if now { continuation.resume() }
            }
        } onCancel: {
            change { _ in }
        }
    }
}
