internal import KilnModel
internal import KilnStore
internal import WorkspaceEngine

extension Controller {
    /// Milliseconds between two progress lines at least.
    private static let activityInterval = 300

    /// Builds the images of an environment that are not there yet.
    /// - Returns: the status to go on from.
    /// - Throws: `CancellationError` when a change of the environment overtook the build.
    func buildImages(of environment: Environment, on engine: any WorkspaceEngine) async throws -> Environment.Status {
        let id = environment.metadata.id
        var status = environment.status
        for (service, build) in environment.builds where try await !engine.hasImage(of: build) {
            status.enter(.building, now())
            status.observedVersion = environment.metadata.version
            status.reason = nil
            status.activity = "\(service): building"
            try await store.setStatus(Environment.self, id, status)

            let context = try contexts.open(build.context)
            let (lines, progress) = AsyncStream<String>.makeStream(bufferingPolicy: .bufferingNewest(1))
            let task = Task { [status] in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await self.show(lines, of: service, in: id, status) }
                    group.addTask {
                        defer { progress.finish() }
                        try await engine.build(build, context: context) { progress.yield($0) }
                    }
                    try await group.waitForAll()
                }
            }
            try await run(task, for: environment)
        }
        if status.phase == .building {
            status.enter(.starting, now())
            status.activity = nil
            try await store.setStatus(Environment.self, id, status)
        }
        return status
    }

    /// Waits for a build that a change of its environment may cancel.
    private func run(_ task: Task<Void, any Error>, for environment: Environment) async throws {
        let id = environment.metadata.id
        builds.withLock { $0[id] = task }
        defer { builds.withLock { $0[id] = nil } }
        // The change may have come before the task was there to be cancelled.
        if try await store.resource(Environment.self, id)?.metadata.version != environment.metadata.version { task.cancel() }
        do {
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            throw task.isCancelled ? CancellationError() : error
        }
    }

    /// Writes a build's newest line to the status, a few times a second at most: a build may print thousands.
    private func show(_ lines: AsyncStream<String>, of service: Name, in id: ResourceID, _ status: Environment.Status) async throws {
        var status = status
        for await line in lines {
            status.activity = "\(service): \(line.printable(limit: 160))"
            try await store.setStatus(Environment.self, id, status)
            try await Task.sleep(for: .milliseconds(Self.activityInterval))
        }
    }
}
