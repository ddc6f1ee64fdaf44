internal import KilnModel

/// How far a resource is on its way to what was asked for.
enum Verdict: Equatable {
    case done
    case working(phase: String, activity: String?)
    case failed(Reason)
}

extension Verdict {
    /// Whether `workspace` runs, as asked for in `version`.
    static func running(_ workspace: Workspace, version: Int) -> Verdict {
        workspace.judge(version: version) { $0 == .running }
    }

    /// Whether `workspace` runs and has the packages it was made with.
    static func equipped(_ workspace: Workspace, version: Int) -> Verdict {
        let running = running(workspace, version: version)
        guard running == .done else { return running }
        // One that Kiln took off the list again is none of those it was made with.
        if let failure = workspace.status.packages?.failures.first { return .failed(failure.reason) }
        return packages(workspace, generation: workspace.spec.packageGeneration)
    }

    /// Whether `workspace` is again as it was, `version` being taken note of.
    static func changed(_ workspace: Workspace, version: Int) -> Verdict {
        workspace.judge(version: version) { [.running, .suspended].contains($0) }
    }

    static func suspended(_ workspace: Workspace, version: Int) -> Verdict {
        workspace.judge(version: version) { $0 == .suspended }
    }

    /// Whether `workspace` is connected to `environment`. A suspended one is connected when it is resumed, so there is nothing to wait for.
    static func connected(_ workspace: Workspace, to environment: ResourceID, version: Int) -> Verdict {
        guard workspace.status.observedVersion >= version else { return .working(phase: "Connecting", activity: nil) }
        if workspace.status.phase == .suspended { return .done }
        if workspace.status.phase == .failed { return .failed(workspace.status.reason ?? .unknown) }
        guard let connection = workspace.status.connection, connection.environment == environment else {
            return .working(phase: "Connecting", activity: nil)
        }
        switch connection.phase {
        case .connected: return .done
        case .connecting: return .working(phase: connection.phase.rawValue, activity: connection.reason?.message)
        case .failed: return .failed(connection.reason ?? .unknown)
        }
    }

    static func disconnected(_ workspace: Workspace, version: Int) -> Verdict {
        let isDone = workspace.status.observedVersion >= version && workspace.status.connection == nil
        return isDone ? .done : .working(phase: "Disconnecting", activity: nil)
    }

    /// Whether `keys` reach `workspace`, or wait for it to listen.
    static func intercepting(_ workspace: Workspace, _ keys: Set<Intercept.Key>, version: Int) -> Verdict {
        if workspace.metadata.deletionRequestedAt != nil { return .failed(.deleted) }
        let entries = workspace.status.intercepts.filter { keys.contains($0.key) }
        if let lost = entries.first(where: { $0.phase == .lost }) { return .failed(lost.reason ?? .unknown) }
        guard workspace.status.observedVersion >= version else { return .working(phase: "Starting", activity: nil) }
        if workspace.status.phase == .failed { return .failed(workspace.status.reason ?? .unknown) }
        if let failing = entries.first(where: { $0.phase == .failing }) { return .failed(failing.reason ?? .unknown) }
        let wanted = Set(workspace.spec.intercepts.map(\.key))
        guard keys.isSubset(of: wanted) else { return .failed(.stopped) }
        let known = Set(entries.filter { $0.phase != .starting }.map(\.key))
        return known == keys ? .done : .working(phase: "Starting", activity: nil)
    }

    /// Whether `workspace` lets through what it does not intercept any more.
    static func released(_ workspace: Workspace, version: Int) -> Verdict {
        guard workspace.status.observedVersion >= version else { return .working(phase: "Stopping", activity: nil) }
        if workspace.status.phase == .failed { return .failed(workspace.status.reason ?? .unknown) }
        return workspace.endedIntercepts.isEmpty ? .done : .working(phase: "Stopping", activity: nil)
    }

    /// Whether all services of `environment` are well.
    static func running(_ environment: Environment, version: Int) -> Verdict {
        environment.judge(version: version) { $0 == .running }
    }

    static func stopped(_ environment: Environment, version: Int) -> Verdict {
        environment.judge(version: version) { $0 == .stopped }
    }

    static func ready(_ machine: Workmachine) -> Verdict {
        switch machine.status.phase {
        case .ready: .done
        case .failed: .failed(machine.status.reason ?? .unknown)
        default: .working(phase: machine.status.phase.rawValue, activity: machine.status.reason?.message)
        }
    }
}

extension Workspace {
    fileprivate func judge(version: Int, isDone: (Phase) -> Bool) -> Verdict {
        if metadata.deletionRequestedAt != nil { return .failed(.deleted) }
        guard status.observedVersion >= version else { return .working(phase: status.phase.rawValue, activity: status.reason?.message) }
        if status.phase == .failed { return .failed(status.reason ?? .unknown) }
        return isDone(status.phase) ? .done : .working(phase: status.phase.rawValue, activity: status.reason?.message)
    }
}

extension Workspace {
    /// Those that are not wanted any more, and were not yet seen to be out.
    var endedIntercepts: [Intercept.Key] {
        let wanted = Set(spec.intercepts.map(\.key))
        return status.intercepts.filter { $0.phase != .lost && !wanted.contains($0.key) }.map(\.key)
    }
}

extension Environment {
    fileprivate func judge(version: Int, isDone: (Phase) -> Bool) -> Verdict {
        if metadata.deletionRequestedAt != nil { return .failed(.deleted) }
        let working = Verdict.working(phase: status.phase.rawValue, activity: status.activity ?? status.reason?.message)
        guard status.observedVersion >= version else { return working }
        switch status.phase {
        case .failed: return .failed(status.reason ?? brokenServices ?? .unknown)
        // Some services run, others were given up on: waiting mends nothing.
        case .degraded: return .failed(brokenServices ?? status.reason ?? .unknown)
        default: return isDone(status.phase) ? .done : working
        }
    }

    /// The services that are not well, in one reason.
    private var brokenServices: Reason? {
        let broken = status.services.filter { [.failed, .unhealthy, .exited, .crashLoop].contains($0.phase) }
        guard let first = broken.first else { return nil }
        let list = broken.map { service in
            let why = service.reason?.message ?? service.exitStatus.map { "it ended with status \($0)" } ?? service.phase.rawValue.lowercased()
            return "\(service.name) (\(why))"
        }
        return Reason(
            code: KilnError.Code.serviceFailed.value, message: "Not all services are well: \(list.joined(separator: ", ")).",
            hint: first.reason?.hint ?? "kl env logs \(metadata.name) \(first.name)"
        )
    }
}

extension Reason {
    static let unknown = Reason(code: KilnError.Code.internalError.value, message: "It failed and did not say why.", hint: "kl doctor")
    static let stopped = Reason(code: KilnError.Code.notFound.value, message: "It was stopped meanwhile.")
    static let deleted = Reason(code: KilnError.Code.notFound.value, message: "It was deleted meanwhile.")
}
