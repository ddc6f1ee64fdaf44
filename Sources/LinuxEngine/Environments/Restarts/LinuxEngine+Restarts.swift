import FoundationEssentials
import KilnModel
import WorkspaceEngine

/// Starting services again as their policies say. Podman's own policies are not used: they start at once, for ever.
extension LinuxEngine {
    /// A container that ended and is to be started again.
    private struct DueStart: Sendable {
        var container: ContainerState
        var environment: ResourceID
        var run: RestartRecord.Run
        var record: RestartRecord
        /// Unix time.
        var time: Double
    }

    var restartRecords: RestartRecords { RestartRecords(directory: "\(configuration.runtimeDirectory)/etc") }

    static func now() -> Double { Date.now.timeIntervalSince1970 }

    /// Runs until cancelled.
    func restartServices() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for await name in restarts.names { group.addTask { try await self.attend(to: name) } }
        }
    }

    private func attend(to name: String) async throws {
        repeat {
            do {
                while let due = try await dueStart(of: name) { try await start(due) }
            } catch let error as KilnError {
                logger.warning("a service could not be started again", metadata: ["container": "\(name)", "error": "\(error.message)"])
                // Podman is away, say: nothing tells when it is back, and its client has waited a while already.
                try await Task.sleep(for: .seconds(1))
                restarts.add(name)
            }
        } while !restarts.isDone(name)
    }

    /// nil when it runs, is gone, or stays ended.
    private func dueStart(of name: String) async throws -> DueStart? {
        guard let container = try await containers.inspect(name), container.phase == .exited, try bootMarks.isSet(name),
            let owner = Label.reference(container.labels), owner.kind == .environment, container.labels[Label.service] != nil,
            let record = try restartRecords.record(of: name), let run = try await containers.lastRun(of: container.id),
            let time = record.nextStart(after: run)
        else { return nil }
        return DueStart(container: container, environment: owner.id, run: run, record: record, time: time)
    }

    private func start(_ due: DueStart) async throws {
        let wait = due.time - Self.now()
        if wait > 0 { try await Task.sleep(for: .seconds(wait)) }
        let name = due.container.name
        let record = try await locks.withLock(due.environment) { () -> RestartRecord? in
            // Meanwhile it may have been started, replaced or removed, or its policy changed.
            guard let now = try await self.dueStart(of: name), now.container.id == due.container.id, now.run == due.run else { return nil }
            let record = now.record.attempted(after: now.run, now: Self.now())
            // Before the start: an agent that dies here must not begin to count anew.
            try self.restartRecords.set(record, of: name)
            await self.health.forget(now.container.id)
            try await self.containers.start(name)
            return record
        }
        guard let record else { return }
        let environment = ResourceReference(kind: .environment, id: due.environment)
        observers.notify(environment)
        guard record.attempts >= RestartRecord.loop else { return }
        // Its loop is over once it has run for a while, which nothing else would tell.
        guard let pid = try await containers.inspect(name)?.pid, pid > 0, let process = ChildProcess.attach(to: Int32(pid)) else { return }
        defer { process.close() }
        let ended = try await Readiness.readable(process.endDescriptor, timeout: .seconds(RestartRecord.steady))
        if !ended { observers.notify(environment) }
    }
}
