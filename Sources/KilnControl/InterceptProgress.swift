internal import KilnModel
internal import WorkspaceEngine

/// How the status of a workspace's intercepts goes on. Pure.
enum InterceptProgress {
    /// What became of an intercept; nil: nothing is known yet.
    typealias Verdict = (phase: InterceptStatus.Phase, reason: Reason?)

    /// The new entries: one for each of the spec's intercepts as `judge` says, and those that others took over, until they are named again.
    /// - Parameter told: what the engine was last told; what has ended since is not out yet.
    static func statuses(of workspace: Workspace, told: [Intercept], now: Timestamp, _ judge: (Intercept) -> Verdict?) -> [InterceptStatus] {
        let wanted = Set(workspace.spec.intercepts.map(\.key))
        let told = Set(told.map(\.key))
        let known = Dictionary(workspace.status.intercepts.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        let rest = workspace.status.intercepts.filter { !wanted.contains($0.key) && ($0.phase == .lost || told.contains($0.key)) }
        return rest
            + workspace.spec.intercepts.map { intercept in
                // Of an intercept that has changed since, what was known of it says nothing.
                let before = known[intercept.key].flatMap { $0.target == intercept.target && $0.phase != .lost ? $0 : nil }
                guard let (phase, reason) = judge(intercept) else { return before ?? InterceptStatus(intercept, .starting, since: now) }
                return InterceptStatus(intercept, phase, reason: reason, since: before?.phase == phase ? before?.since ?? now : now)
            }
    }

    /// What an engine verified of an intercept, given what it was told.
    static func verdict(
        on intercept: Intercept, told target: ConnectionTarget, in environment: Environment, _ observation: WorkspaceObservation
    ) -> Verdict? {
        guard let index = environment.addressIndex(of: intercept.service) else {
            return (.failing, .vanished(intercept, from: environment.metadata.name))
        }
        if observation.connected != target.environment { return observation.connectionFailure.map { (.failing, Reason($0)) } }
        // It may have been changed after the engine was told.
        guard target.intercepts.contains(InterceptTarget(intercept, serviceIndex: index)) else { return nil }
        switch observation.intercepts.first(where: { $0.serviceIndex == index && $0.port == intercept.port })?.state {
        case nil: return nil
        case .active: return (.active, nil)
        case .waiting: return (.waiting, .noListener(intercept))
        case .failing(let error): return (.failing, Reason(error))
        }
    }

    /// Ports that the workspace has intercepted as far as was last verified, and is not to any more.
    static func ended(_ workspace: Workspace) -> Set<Intercept.Key> {
        Set(workspace.status.intercepts.map(\.key)).subtracting(workspace.spec.intercepts.map(\.key))
    }
}

extension Environment {
    /// Which decides a service's addresses; nil when there is no such service.
    func addressIndex(of service: Name) -> Int? { spec.services.first { $0.name == service }?.addressIndex }
}

extension InterceptTarget {
    init(_ intercept: Intercept, serviceIndex: Int) {
        self.init(
            serviceIndex: serviceIndex, port: intercept.port, target: intercept.target, existing: intercept.existing, fallback: intercept.fallback
        )
    }
}

extension Reason {
    static func noListener(_ intercept: Intercept) -> Reason {
        Reason(code: "no-listener", message: "waiting for a listener on \(intercept.targetText)")
    }

    static func suspended(_ workspace: Name) -> Reason {
        Reason(code: KilnError.Code.wrongPhase.value, message: "the workspace is suspended", hint: "kl ws resume \(workspace)")
    }

    static func vanished(_ intercept: Intercept, from environment: Name) -> Reason {
        Reason(
            code: KilnError.Code.notFound.value, message: "the environment \(environment) has no service \(intercept.service) any more",
            hint: "kl intercept stop \(intercept.service)"
        )
    }
}
