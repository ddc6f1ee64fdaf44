internal import KilnModel
internal import KilnStore
internal import WorkspaceEngine

extension Controller {
    func reconcileWorkmachine(_ id: ResourceID, failures: Int) async throws -> ReconcileOutcome {
        guard let workmachine = try await store.resource(Workmachine.self, id), let engine = link.engine else { return .done }
        var status = workmachine.status
        let target = WorkmachineTarget(workmachine)
        do {
            if workmachine.metadata.deletionRequestedAt != nil {
                status.enter(.deleting, now())
                try await store.setStatus(Workmachine.self, id, status)
                try await engine.remove(target)
                try await store.finishDeletion(Workmachine.self, id)
                return .done
            }
            try await engine.apply(target)
            status.enter(.ready, now())
            status.engine = link.info
            status.reason = nil
            try await store.setStatus(Workmachine.self, id, status)
            return .done
        } catch let error as KilnError {
            let kind = FailureKind(error)
            guard kind != .unreachable else { return .retry }
            logger.warning("workmachine failed", metadata: ["id": "\(id)", "code": "\(error.code.value)", "error": "\(error.message)"])
            status.reason = Reason(error)
            if workmachine.metadata.deletionRequestedAt == nil, kind == .lasting || failures >= FailureKind.patience {
                status.enter(.failed, now())
            }
            try await store.setStatus(Workmachine.self, id, status)
            return .retry
        }
    }

    /// What a workspace or environment needs to go on; it is asked for again when what is missing is there.
    enum Host {
        case ready(any WorkspaceEngine, Workmachine)
        /// With what a resource that has not begun yet may say of it.
        case missing(Reason?)
    }

    func host(_ id: ResourceID) async throws -> Host { host(try await store.resource(Workmachine.self, id)) }

    /// - Parameter workmachine: nil when it is gone.
    func host(_ workmachine: Workmachine?) -> Host {
        guard let workmachine else { return .missing(nil) }
        guard let engine = link.engine, workmachine.status.phase == .ready else { return .missing(workmachine.status.reason) }
        return .ready(engine, workmachine)
    }
}
