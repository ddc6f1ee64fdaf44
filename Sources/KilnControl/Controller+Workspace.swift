internal import KilnModel
internal import KilnStore
internal import WorkspaceEngine

extension Controller {
    func reconcileWorkspace(_ id: ResourceID, failures: Int) async throws -> ReconcileOutcome {
        guard var workspace = try await store.resource(Workspace.self, id) else { return .done }
        if workspace.metadata.deletionRequestedAt != nil {
            guard let engine = link.engine else { return .done }
            return try await deleteWorkspace(workspace, on: engine, failures)
        }
        let host = try await host(workspace.spec.workmachine)
        guard case .ready(let engine, let workmachine) = host else {
            if case .missing(let reason) = host, workspace.status.phase == .pending {
                workspace.status.reason = reason
                try await store.setStatus(Workspace.self, id, workspace.status)
            }
            return .done
        }

        var environment: Environment?
        if let wanted = workspace.spec.connection { environment = try await store.resource(Environment.self, wanted) }
        if let environment, environment.metadata.deletionRequestedAt != nil {
            workspace = try await store.update(Workspace.self, id) { spec in
                if spec.connection == environment.metadata.id { spec.connection = nil }
            }
        }
        let link = WorkspaceProgress.link(of: workspace, to: environment)
        guard let begun = try await store.setStatus(Workspace.self, id, WorkspaceProgress.begun(workspace, link, now: now())) else { return .done }
        workspace.status = begun.status

        var connection: ConnectionTarget?
        if case .wanted(let target) = link { connection = target }
        let target = WorkspaceTarget(workspace, on: workmachine, connection: connection)
        do {
            let observation = try await engine.apply(target)
            let status = WorkspaceProgress.observed(workspace, link, observation, now: now())
            try await store.setStatus(Workspace.self, id, status)
            guard WorkspaceProgress.isSettled(status, for: workspace) else { return .retry }
            guard case .wanted = link, status.connection?.phase == .failed else { return .done }
            // The environment says so when its services change; a service that opens its port late does not.
            return .retry
        } catch let error as KilnError {
            return try await workspaceFailed(workspace, target, error, on: engine, failures)
        }
    }

    private func deleteWorkspace(_ workspace: Workspace, on engine: any WorkspaceEngine, _ failures: Int) async throws -> ReconcileOutcome {
        guard let workmachine = try await store.resource(Workmachine.self, workspace.spec.workmachine) else { return .done }
        var status = workspace.status
        status.enter(.deleting, now())
        status.observedVersion = workspace.metadata.version
        try await store.setStatus(Workspace.self, workspace.metadata.id, status)
        let target = WorkspaceTarget(workspace, on: workmachine, connection: nil)
        do {
            try await engine.remove(target)
        } catch let error as KilnError {
            var workspace = workspace
            workspace.status = status
            return try await workspaceFailed(workspace, target, error, on: engine, failures)
        }
        try await store.finishDeletion(Workspace.self, workspace.metadata.id)
        return .done
    }

    private func workspaceFailed(
        _ workspace: Workspace, _ target: WorkspaceTarget, _ error: KilnError, on engine: any WorkspaceEngine, _ failures: Int
    ) async throws -> ReconcileOutcome {
        let id = workspace.metadata.id
        logger.warning("workspace failed", metadata: ["id": "\(id)", "code": "\(error.code.value)", "error": "\(error.message)"])
        // A clone happens only while a workspace is made for the first time: nothing of it is worth keeping.
        if error.code == .cloneFailed, workspace.metadata.version == 1, workspace.metadata.deletionRequestedAt == nil {
            do {
                try await engine.remove(target)
            } catch let error as KilnError {
                logger.warning("what a failed clone left could not be removed yet", metadata: ["id": "\(id)", "error": "\(error.message)"])
                return .retry
            }
        }
        try await store.setStatus(Workspace.self, id, WorkspaceProgress.failed(workspace, error, failures: failures, now: now()))
        return FailureKind(error) == .lasting && workspace.metadata.deletionRequestedAt == nil ? .done : .retry
    }
}
