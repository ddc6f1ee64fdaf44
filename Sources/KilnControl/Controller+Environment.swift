internal import KilnModel
internal import KilnStore
internal import WorkspaceEngine

extension Controller {
    /// Seconds between two looks at an environment that is on its way; observations come before in all but the oddest cases.
    private static let recheck = 10.0

    func reconcileEnvironment(_ id: ResourceID, failures: Int) async throws -> ReconcileOutcome {
        guard var environment = try await store.resource(Environment.self, id) else { return .done }
        do {
            if environment.metadata.deletionRequestedAt != nil {
                guard let engine = link.engine else { return .done }
                return try await deleteEnvironment(environment, on: engine)
            }
            let host = try await host(environment.spec.workmachine)
            guard case .ready(let engine, _) = host else {
                if case .missing(let reason) = host, environment.status.phase == .pending {
                    environment.status.reason = reason
                    try await store.setStatus(Environment.self, id, environment.status)
                }
                return .done
            }

            // One that runs may have got services whose images are still to be built.
            let isNew = environment.status.observedVersion != environment.metadata.version
            guard let begun = try await store.setStatus(Environment.self, id, EnvironmentProgress.begun(environment, now: now())) else {
                return .done
            }
            environment.status = begun.status
            let settled: [Environment.Phase] = [.running, .degraded]
            if environment.spec.desiredState == .running, isNew || !settled.contains(environment.status.phase) {
                environment.status = try await buildImages(of: environment, on: engine)
            }

            if environment.spec.desiredState == .running { try await storeFiles(of: environment, on: engine) }
            let observation = try await engine.apply(target(of: environment))
            let status = EnvironmentProgress.observed(environment, observation.services, now: now())
            try await store.setStatus(Environment.self, id, status)
            return status.phase == .starting || status.phase == .stopping ? .again(after: Self.recheck) : .done
        } catch let error as KilnError {
            logger.warning("environment failed", metadata: ["id": "\(id)", "code": "\(error.code.value)", "error": "\(error.message)"])
            // Read again: a build has written its progress meanwhile.
            guard var current = try await store.resource(Environment.self, id) else { return .done }
            current.metadata.version = environment.metadata.version
            try await store.setStatus(Environment.self, id, EnvironmentProgress.failed(current, error, failures: failures, now: now()))
            return FailureKind(error) == .lasting && current.metadata.deletionRequestedAt == nil ? .done : .retry
        } catch is CancellationError where !Task.isCancelled {
            // A build that was overtaken by a change, for which the queue comes again.
            return .done
        }
    }

    private func deleteEnvironment(_ environment: Environment, on engine: any WorkspaceEngine) async throws -> ReconcileOutcome {
        let id = environment.metadata.id
        let linked = try await store.workspaces(connectedTo: id)
        try await store.disconnectAll(from: id)
        var status = environment.status
        status.enter(.deleting, now())
        status.observedVersion = environment.metadata.version
        let waiting = try await stillLinked(to: id)
        status.activity = waiting.isEmpty ? nil : "disconnecting \(waiting.map(\.value).joined(separator: ", "))"
        try await store.setStatus(Environment.self, id, status)
        // Each says so in the feed once it is unlinked; the look after a while is for one that failed meanwhile.
        guard linked.isEmpty, waiting.isEmpty else { return .again(after: Self.recheck) }
        try await engine.remove(EnvironmentTarget(environment), volumes: environment.spec.deletesVolumes)
        try await store.finishDeletion(Environment.self, id)
        return .done
    }

    /// The running workspaces whose link to an environment was verified and not undone. One that failed is not waited for.
    private func stillLinked(to environment: ResourceID) async throws -> [Name] {
        var names: [Name] = []
        var after: QualifiedName?
        repeat {
            let page = try await store.list(
                Workspace.self, where: ResourceFilter(phase: Workspace.Phase.running.rawValue), after: after, limit: 100
            )
            names += page.items.filter { $0.status.connection?.environment == environment }.map(\.metadata.name)
            after = page.next
        } while after != nil
        return names
    }
}
