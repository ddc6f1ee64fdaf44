internal import KilnModel
internal import KilnStore
internal import WorkspaceEngine

extension Controller {
    /// Seconds between two looks at intercepts that should work and do not.
    private static let interceptRecheck = 2.0

    func reconcileWorkspace(_ id: ResourceID, failures: Int) async throws -> ReconcileOutcome {
        guard let setting = try await store.setting(of: id) else { return .done }
        var workspace = setting.workspace
        if workspace.metadata.deletionRequestedAt != nil {
            guard let engine = link.engine else { return .done }
            return try await deleteWorkspace(workspace, on: engine, failures)
        }
        let host = host(setting.workmachine)
        guard case .ready(let engine, let workmachine) = host else {
            if case .missing(let reason) = host, workspace.status.phase == .pending {
                workspace.status.reason = reason
                try await store.setStatus(Workspace.self, id, workspace.status)
            }
            return .done
        }

        let environment = setting.environment
        if let environment, environment.metadata.deletionRequestedAt != nil {
            workspace = try await store.update(Workspace.self, id) { spec in
                if spec.connection == environment.metadata.id { spec.connection = nil }
            }
        }
        let link = WorkspaceProgress.link(of: workspace, to: environment)
        let (read, time) = (workspace, now())
        // What is to be said need not be written when it is said already: a write would only hold up what comes.
        if WorkspaceProgress.begun(read, link, now: time) != read.status {
            let begun = try await store.setStatus(Workspace.self, id) { WorkspaceProgress.begun(read.updated(by: $0), link, now: time) }
            guard let begun else { return .done }
            workspace.status = begun.status
        }

        let target = WorkspaceTarget(workspace, on: workmachine, connection: link.target)
        do {
            let observation = try await engine.apply(target)
            let (target, time) = (environment, now())
            let written = try await store.setStatus(Workspace.self, id) {
                WorkspaceProgress.observed(
                    read.updated(by: $0), link, in: target, told: read.spec.intercepts, observation, now: time
                )
            }
            guard let status = written?.status else { return .done }
            try await revisit(InterceptProgress.ended(read), endedBy: read)
            guard WorkspaceProgress.isSettled(status, for: workspace) else { return .retry }
            // The environment says so when its services change; a service that opens its port late does not.
            if observation.connected != link.target?.environment { return .retry }
            // Not as a failure, which would make it deaf to listeners that come and go.
            return observation.hasFailingIntercepts ? .again(after: Self.interceptRecheck) : .done
        } catch let error as KilnError {
            return try await workspaceFailed(workspace, target, error, on: engine, failures)
        }
    }

    /// Has those looked at again who intercept now what this workspace has only just let go: a call of the engine for it that was under way
    /// when they took over may have come after theirs.
    private func revisit(_ ended: Set<Intercept.Key>, endedBy workspace: Workspace) async throws {
        let (id, version) = (workspace.metadata.id, workspace.metadata.version)
        // Once for each version: what others took over stays in the status, and two who took from each other would never come to rest.
        guard applied.withLock({ $0.updateValue(version, forKey: id) }) != version, !ended.isEmpty,
            let environment = workspace.status.connection?.environment
        else { return }
        for holder in try await store.workspaces(interceptingIn: environment)
        where holder.metadata.id != id && holder.spec.intercepts.contains(where: { ended.contains($0.key) }) {
            queue.request(.init(kind: .workspace, id: holder.metadata.id), .changed)
        }
    }

    private func deleteWorkspace(_ workspace: Workspace, on engine: any WorkspaceEngine, _ failures: Int) async throws -> ReconcileOutcome {
        guard let workmachine = try await store.resource(Workmachine.self, workspace.spec.workmachine) else { return .done }
        var status = workspace.status
        status.enter(.deleting, now())
        status.observedVersion = workspace.metadata.version
        try await store.setStatus(Workspace.self, workspace.metadata.id, status)
        let target = WorkspaceTarget(workspace, on: workmachine, connection: nil)
        // What installs packages would go on making what is being removed.
        await packageRuns.stop(workspace.metadata.id)
        do {
            try await engine.remove(target)
        } catch let error as KilnError {
            var workspace = workspace
            workspace.status = status
            return try await workspaceFailed(workspace, target, error, on: engine, failures)
        }
        try await store.finishDeletion(Workspace.self, workspace.metadata.id)
        try await revisit(Set(workspace.status.intercepts.map(\.key)), endedBy: workspace)
        applied.withLock { $0[workspace.metadata.id] = nil }
        verifiedPackages.withLock { $0[workspace.metadata.id] = nil }
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
        let time = now()
        try await store.setStatus(Workspace.self, id) {
            WorkspaceProgress.failed(workspace.updated(by: $0), error, failures: failures, now: time)
        }
        return FailureKind(error) == .lasting && workspace.metadata.deletionRequestedAt == nil ? .done : .retry
    }
}

extension Workspace {
    /// The workspace as it was read, and what others have written of it since that its status must go on from.
    fileprivate func updated(by current: Workspace) -> Workspace {
        var workspace = self
        workspace.status = current.status
        // With another environment come other services.
        workspace.spec.intercepts = current.spec.connection == spec.connection ? current.spec.intercepts : []
        return workspace
    }
}

extension WorkspaceObservation {
    fileprivate var hasFailingIntercepts: Bool {
        intercepts.contains { if case .failing = $0.state { true } else { false } }
    }
}
