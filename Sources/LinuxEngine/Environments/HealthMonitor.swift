import KilnModel

/// Runs the health checks of services and remembers the last word on each container.
///
/// Podman leaves this to systemd timers, which many machines lack. Nothing here outlives the agent: after its restart every container is
/// checked at once.
actor HealthMonitor {
    typealias Check = @Sendable (_ container: String, Service.Healthcheck) async -> (passed: Bool, output: String)
    /// Says that the health of a container of this environment turned.
    typealias Changed = @Sendable (_ environment: ResourceID) -> Void

    private struct Watch {
        var environment: ResourceID
        var check: Service.Healthcheck
        var record = HealthRecord()
        var task: Task<Void, Never>
    }

    private let check: Check
    private let changed: Changed
    private var watches: [String: Watch] = [:]

    init(check: @escaping Check, changed: @escaping Changed) {
        self.check = check
        self.changed = changed
    }

    /// - Parameter check: what `check` said of it is asked for; another's word on it says nothing.
    func health(of container: String, by check: Service.Healthcheck?) -> Health? {
        watches[container].flatMap { $0.check == check ? $0.record.health : nil }
    }

    /// Makes the containers in `wanted` the ones watched for `environment`.
    /// - Parameter wanted: container id → its check.
    func watch(_ wanted: [String: Service.Healthcheck], environment: ResourceID) {
        for (container, watch) in watches where watch.environment == environment && wanted[container] != watch.check {
            watch.task.cancel()
            watches[container] = nil
        }
        for (container, check) in wanted where watches[container] == nil {
            watches[container] = Watch(environment: environment, check: check, task: Task { await self.run(container, check) })
        }
    }

    /// The container starts anew: what was seen of it counts no more.
    func forget(_ container: String) { watches.removeValue(forKey: container)?.task.cancel() }

    private func run(_ container: String, _ check: Service.Healthcheck) async {
        let clock = ContinuousClock()
        let begin = clock.now
        // Starting services are looked at often, so that what waits for them goes on at once; Compose's interval holds afterwards.
        var pause = check.startInterval ?? min(check.interval, 0.1)
        while !Task.isCancelled {
            let result = await self.check(container, check)
            guard !Task.isCancelled, var watch = watches[container] else { return }
            let before = watch.record.health
            let age = Double((clock.now - begin).components.seconds)
            if result.passed || before != .starting || clock.now - begin >= .seconds(check.interval * Double(watch.record.consecutiveFailures + 1)) {
                watch.record.record(passed: result.passed, output: result.output, age: age, check: check)
            }
            watches[container] = watch
            if watch.record.health != before { changed(watch.environment) }
            pause = watch.record.health == .starting ? check.startInterval ?? min(pause * 1.5, check.interval) : check.interval
            do { try await clock.sleep(for: .seconds(pause)) } catch { return }
        }
    }
}
