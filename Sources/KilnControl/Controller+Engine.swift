internal import KilnModel
internal import KilnStore
public import WorkspaceEngine

extension Controller {
    /// Works with one connected engine; returns when its connection ends or the task is cancelled.
    public func serve(_ engine: any WorkspaceEngine) async {
        enum Event { case welcomed, ended }
        let ticket = link.newTicket()
        do {
            try await withThrowingTaskGroup(of: Event.self) { group in
                group.addTask {
                    try await engine.observations { self.queue.request($0, .observed) }
                    return .ended
                }
                group.addTask {
                    try await self.welcome(engine, ticket: ticket)
                    return .welcomed
                }
                defer { group.cancelAll() }
                while try await group.next() == .welcomed {}
            }
        } catch is CancellationError {
        } catch {
            logger.warning("the engine's connection ended", metadata: ["error": "\(error)"])
        }
        await farewell(ticket: ticket)
    }

    /// Gets to know an engine, lets it drop what is no longer wanted, and has everything looked at. Only then is it used.
    private func welcome(_ engine: any WorkspaceEngine, ticket: Int) async throws {
        var delay = ReconcileSchedule.firstDelay
        while true {
            do {
                let info = try await engine.info()
                try await updateWorkmachines { $0.engine = info }
                try await engine.prune(
                    keeping: Inventory(
                        workmachines: store.ids(.workmachine), workspaces: store.ids(.workspace), environments: store.ids(.environment)
                    )
                )
                link.attach(engine, info: info, ticket: ticket)
                verifiedPackages.withLock { $0 = [:] }
                logger.info("engine connected", metadata: ["engine": "\(info.engine)", "runtime": "\(info.runtime)"])
                try await requestAll()
                return
            } catch let error as KilnError where error.code != .engineUnavailable {
                logger.error("the engine is not ready", metadata: ["error": "\(error)"])
                try await updateWorkmachines { [now] status in
                    status.enter(.failed, now())
                    status.reason = Reason(error)
                }
                try await Task.sleep(for: .seconds(delay))
                delay = min(delay * 2, ReconcileSchedule.longestDelay)
            }
        }
    }

    private func farewell(ticket: Int) async {
        guard link.detach(ticket: ticket) else { return }
        // A cancelled task may not use the store, and the statuses must be true all the same.
        let marking = Task { try await markUnreachable() }
        do {
            try await marking.value
        } catch {
            logger.error("the workmachines could not be marked unreachable", metadata: ["error": "\(error)"])
        }
    }

    func markUnreachable() async throws {
        try await updateWorkmachines { [now] status in
            guard status.phase != .deleting else { return }
            status.enter(.unreachable, now())
            status.reason = Reason(
                code: KilnError.Code.engineUnavailable.value, message: "kiln-agent is not connected.", hint: "Start it with: make up")
        }
    }

    private func updateWorkmachines(_ change: @Sendable (inout Workmachine.Status) -> Void) async throws {
        for id in try await store.ids(.workmachine) {
            guard let workmachine = try await store.resource(Workmachine.self, id) else { continue }
            var status = workmachine.status
            change(&status)
            try await store.setStatus(Workmachine.self, id, status)
        }
    }
}

extension Workmachine.Status {
    mutating func enter(_ phase: Workmachine.Phase, _ now: Timestamp) {
        guard self.phase != phase else { return }
        self.phase = phase
        since = now
    }
}
