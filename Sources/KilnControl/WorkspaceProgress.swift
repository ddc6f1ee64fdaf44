internal import KilnModel
internal import WorkspaceEngine

/// How a workspace's status goes on. Pure.
enum WorkspaceProgress {
    /// What the workspace's connection should be now.
    enum Link: Hashable {
        case none
        /// To one that is stopped: its names are still to be seen, and refuse at once.
        case stopped(ConnectionTarget, Reason)
        case wanted(ConnectionTarget)

        var target: ConnectionTarget? {
            switch self {
            case .none: nil
            case .stopped(let target, _), .wanted(let target): target
            }
        }
    }

    /// The link that a workspace wants to `environment`, which is nil when it is gone.
    static func link(of workspace: Workspace, to environment: Environment?) -> Link {
        guard workspace.spec.desiredState == .running, workspace.spec.connection != nil, let environment,
            environment.metadata.deletionRequestedAt == nil
        else { return .none }
        let name = environment.metadata.name
        guard environment.spec.desiredState == .running else {
            let reason = Reason(
                code: KilnError.Code.wrongPhase.value, message: "The environment \(name) is stopped.", hint: "Start it: kl env start \(name)")
            return .stopped(ConnectionTarget(environment: environment.metadata.id, probe: nil), reason)
        }
        return .wanted(ConnectionTarget(environment, intercepts: workspace.spec.intercepts))
    }

    /// Before the engine is asked.
    static func begun(_ workspace: Workspace, _ link: Link, now: Timestamp) -> Workspace.Status {
        var status = workspace.status
        let isNew = status.observedVersion < workspace.metadata.version
        switch (workspace.spec.desiredState, status.phase) {
        case (.running, .running), (.suspended, .suspended): break
        case (_, .failed) where !isNew: break
        case (.running, _): status.enter(.starting, now)
        case (.suspended, _): status.enter(.suspending, now)
        }
        switch link {
        case .none: break
        case .stopped(let target, let reason): status.connection(target.environment, .failed, reason, now)
        case .wanted(let target):
            let current = status.connection?.environment == target.environment ? status.connection?.phase : nil
            // One that failed and is tried again stays failed until it works, or whoever reads it sees it flicker.
            let stays = current == .connected || current == .connecting || (current == .failed && !isNew)
            if !stays { status.connection(target.environment, .connecting, nil, now) }
        }
        // What was said while it was suspended says nothing about what comes.
        if status.phase == .starting, workspace.status.phase != .starting { status.setIntercepts(of: workspace, .starting, nil, now) }
        status.expect(workspace.spec.intercepts, now: now)
        if status.phase != workspace.status.phase || status.connection != workspace.status.connection {
            status.observe(workspace.metadata.version)
            if status.phase != .failed { status.reason = nil }
        }
        return status
    }

    /// After the engine said what it verified.
    /// - Parameters:
    ///   - environment: the one of `link`, as it was when the engine was told.
    ///   - told: the intercepts that the engine was told, where others are wanted by now.
    static func observed(
        _ workspace: Workspace, _ link: Link, in environment: Environment? = nil, told: [Intercept]? = nil, _ observation: WorkspaceObservation,
        now: Timestamp
    ) -> Workspace.Status {
        var status = workspace.status
        status.observe(workspace.metadata.version)
        switch (workspace.spec.desiredState, observation.state) {
        case (.running, .running): status.enter(.running, now)
        case (.suspended, .suspended): status.enter(.suspended, now)
        default: return status
        }
        status.reason = nil
        status.intercepts = intercepts(of: workspace, told: told ?? workspace.spec.intercepts, link, in: environment, observation, now: now)
        switch link {
        case .none: status.connection = nil
        case .stopped(let target, let reason): status.connection(target.environment, .failed, reason, now)
        case .wanted(let target):
            if observation.connected == target.environment {
                status.connection(target.environment, .connected, nil, now)
            } else if let failure = observation.connectionFailure {
                status.connection(target.environment, .failed, Reason(failure), now)
            } else {
                status.connection(target.environment, .connecting, nil, now)
            }
        }
        return status
    }

    private static func intercepts(
        of workspace: Workspace, told: [Intercept], _ link: Link, in environment: Environment?, _ observation: WorkspaceObservation, now: Timestamp
    ) -> [InterceptStatus] {
        var workspace = workspace
        // Those that others took over were of the environment that it was connected to.
        if let before = workspace.status.connection?.environment, before != workspace.spec.connection { workspace.status.intercepts = [] }
        return InterceptProgress.statuses(of: workspace, told: told, now: now) { intercept in
            if observation.state == .suspended { return (.waiting, .suspended(workspace.metadata.name)) }
            switch link {
            case .none: return nil
            case .stopped(_, let reason): return (.waiting, reason)
            case .wanted(let target):
                guard let environment else { return nil }
                return InterceptProgress.verdict(on: intercept, told: target, in: environment, observation)
            }
        }
    }

    /// After the engine failed.
    /// - Parameter failures: how often it had failed before, in a row.
    static func failed(_ workspace: Workspace, _ error: KilnError, failures: Int, now: Timestamp) -> Workspace.Status {
        var status = workspace.status
        let kind = FailureKind(error)
        guard kind != .unreachable else { return status }
        status.observe(workspace.metadata.version)
        let name = workspace.metadata.name
        status.reason = Reason(
            code: error.code.value, message: error.message,
            hint: error.hint ?? (kind == .lasting ? "Delete it and create it again: kl ws delete \(name)" : "Try again: kl ws resume \(name)")
        )
        let deleting = workspace.metadata.deletionRequestedAt != nil
        if !deleting, kind == .lasting || failures >= FailureKind.patience {
            status.enter(.failed, now)
            status.setIntercepts(of: workspace, .failing, status.reason, now)
        }
        return status
    }

    /// Whether all that is wanted was verified.
    static func isSettled(_ status: Workspace.Status, for workspace: Workspace) -> Bool {
        let phase: Workspace.Phase = workspace.spec.desiredState == .running ? .running : .suspended
        return status.phase == phase && status.connection?.phase != .connecting && !status.intercepts.contains { $0.phase == .starting }
    }
}

extension Workspace.Status {
    /// A change of the packages may have carried the version further since the workspace was read.
    mutating func observe(_ version: Int) { observedVersion = max(observedVersion, version) }

    mutating func enter(_ phase: Workspace.Phase, _ now: Timestamp) {
        guard self.phase != phase else { return }
        self.phase = phase
        since = now
    }

    /// Says the same of all intercepts that are wanted.
    fileprivate mutating func setIntercepts(of workspace: Workspace, _ phase: InterceptStatus.Phase, _ reason: Reason?, _ now: Timestamp) {
        expect(workspace.spec.intercepts, now: now)
        let wanted = Set(workspace.spec.intercepts.map(\.key))
        for index in intercepts.indices where wanted.contains(intercepts[index].key) {
            if intercepts[index].phase != phase { intercepts[index].since = now }
            intercepts[index].phase = phase
            intercepts[index].reason = reason
        }
    }

    fileprivate mutating func connection(_ environment: ResourceID, _ phase: Workspace.Connection.Phase, _ reason: Reason?, _ now: Timestamp) {
        let same = connection?.environment == environment && connection?.phase == phase
        connection = .init(environment: environment, phase: phase, since: same ? connection?.since ?? now : now, reason: reason)
    }
}
