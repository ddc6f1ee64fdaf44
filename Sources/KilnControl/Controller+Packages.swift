internal import KilnModel
internal import KilnStore
internal import WorkspaceEngine

/// Packages are looked at beside the workspace itself, in a queue of their own: fetching takes its time, and nothing else waits for it.
extension Controller {
    /// Milliseconds between two writes of progress at least.
    private static let progressInterval = 300

    func reconcilePackages(_ id: ResourceID, failures: Int) async throws -> ReconcileOutcome {
        guard let workspace = try await store.resource(Workspace.self, id), workspace.wantsPackages, !areVerified(workspace),
            case .ready(let engine, let workmachine) = try await host(workspace.spec.workmachine)
        else { return .done }
        let target = try await packagesTarget(of: workspace, on: workmachine)
        let observation: PackagesObservation
        do {
            observation = try await apply(target, on: engine)
        } catch is CancellationError where !Task.isCancelled {
            // Overtaken by a change, for which the queue comes again.
            return .done
        } catch let error as KilnError {
            return try await packagesFailed(target, error, failures)
        }
        if !observation.failures.isEmpty {
            let failures = PackagesProgress.failures(observation.failures, in: target)
            // What is left is looked at next; until then the status tells of the list before.
            if try await withdraw(failures, from: target) { return .done }
            return try await packagesFailed(target, observation.failures[0].error, says: observation)
        }
        try await store.setStatus(Workspace.self, id) { [now] in PackagesProgress.observed($0, observation, now: now()) }
        verifiedPackages.withLock { $0[id] = target.generation }
        return .done
    }

    /// Whether the engine that is connected was seen to show the list that is wanted.
    private func areVerified(_ workspace: Workspace) -> Bool {
        let (id, generation) = (workspace.metadata.id, workspace.spec.packageGeneration)
        return verifiedPackages.withLock { $0[id] } == generation && workspace.status.packages?.phase == .ready
    }

    /// A workspace's packages as engines know them.
    func packagesTarget(of workspace: Workspace, on workmachine: Workmachine) async throws -> PackagesTarget {
        let id = workspace.metadata.id
        let history = try await store.packageHistory(of: id, newest: PackageGeneration.keptCount)
        let seen = workspace.status.packages?.generation ?? 0
        var previous: [LockedPackage] = []
        if seen > 0 {
            var generation = history.first { $0.number == seen }
            if generation == nil { generation = try await store.packageGeneration(seen, of: id) }
            // Of a list that is forgotten nothing is known to be new.
            previous = generation?.packages ?? workspace.spec.packages
        }
        return PackagesTarget(workspace, on: workmachine, history: history, previous: previous)
    }

    private func apply(_ target: PackagesTarget, on engine: any WorkspaceEngine) async throws -> PackagesObservation {
        try await packageRuns.run(target) { [store] in
            guard try await store.resource(Workspace.self, target.workspace)?.wantsPackages == true else { throw CancellationError() }
            let (steps, progress) = AsyncStream<PackageProgress>.makeStream(bufferingPolicy: .bufferingNewest(1))
            return try await withThrowingTaskGroup(of: PackagesObservation?.self) { group in
                group.addTask { try await self.show(steps, of: target.workspace) }
                group.addTask { try await engine.apply(target) { progress.yield($0) } }
                defer { group.cancelAll() }
                while let outcome = try await group.next() {
                    if let outcome { return outcome }
                }
                throw CancellationError()
            }
        }
    }

    /// Writes how far it is to the status, a few times a second at most.
    private func show(_ steps: AsyncStream<PackageProgress>, of id: ResourceID) async throws -> PackagesObservation? {
        for await step in steps {
            try await store.setStatus(Workspace.self, id) { PackagesProgress.installing($0, step) }
            try await Task.sleep(for: .milliseconds(Self.progressInterval))
        }
        return nil
    }

    /// Takes what could not be had off the list, so that it keeps nothing else away.
    private func withdraw(_ failures: [PackageFailure], from target: PackagesTarget) async throws -> Bool {
        guard !failures.isEmpty else { return false }
        return try await store.withdrawPackages(
            failures, of: target.workspace, generation: target.generation, leaving: target.list(without: Set(failures.map(\.name))))
    }

    private func packagesFailed(_ target: PackagesTarget, _ error: KilnError, _ failures: Int) async throws -> ReconcileOutcome {
        let kind = FailureKind(error)
        guard kind != .unreachable else { return .retry }
        logger.warning(
            "packages failed", metadata: ["id": "\(target.workspace)", "code": "\(error.code.value)", "error": "\(error.message)"])
        let isLasting = PackagesProgress.isLasting(error)
        guard isLasting || failures >= FailureKind.patience else { return .retry }
        let suspects = PackagesProgress.suspects(in: target).map { PackagesObservation.Failure(package: $0, error: error) }
        if try await withdraw(PackagesProgress.failures(suspects, in: target), from: target) { return .done }
        try await store.setStatus(Workspace.self, target.workspace) { [now] in
            PackagesProgress.failed($0, generation: target.generation, error, now: now())
        }
        return isLasting ? .done : .retry
    }

    /// What was on the list before cannot be had any more: it stays wanted, and the rest is seen.
    private func packagesFailed(
        _ target: PackagesTarget, _ error: KilnError, says observation: PackagesObservation
    ) async throws -> ReconcileOutcome {
        try await store.setStatus(Workspace.self, target.workspace) { [now] current in
            var current = current
            current.status = PackagesProgress.observed(current, observation, now: now())
            return PackagesProgress.failed(current, generation: target.generation, error, now: now())
        }
        return .retry
    }
}

extension Workspace {
    fileprivate var wantsPackages: Bool { metadata.deletionRequestedAt == nil && spec.packageGeneration > 0 }
}
