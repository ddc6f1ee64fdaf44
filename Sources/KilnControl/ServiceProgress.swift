internal import KilnModel

/// How far one service is. Pure.
enum ServiceProgress: Hashable {
    /// It serves, or has done what it had to.
    case done
    case starting, becomingHealthy
    /// For others of its environment; will not come of its own.
    case waiting
    /// It runs and will be needed once it has ended.
    case completing
    case unhealthy
    /// It ends again and again.
    case crashing(Reason)
    /// It will not come by itself.
    case broken(Reason)

    /// - Parameters:
    ///   - mustEnd: whether another service waits for it to end well.
    ///   - environment: its environment's name, for hints.
    init(_ service: Service, _ status: ServiceStatus?, mustEnd: Bool, environment: Name) {
        let hasCheck = service.healthcheck.map { !$0.command.isEmpty } ?? false
        switch status?.phase {
        case .stopped where service.replicas == 0: self = .done
        case nil, .stopped: self = .starting
        case .waiting: self = .waiting
        case .healthy: self = .done
        case .running where mustEnd: self = .completing
        case .running: self = hasCheck ? .becomingHealthy : .done
        case .starting: self = hasCheck ? .becomingHealthy : .starting
        case .unhealthy: self = .unhealthy
        case .crashLoop: self = .crashing(Self.reason(service, status, environment))
        case .failed: self = .broken(Self.reason(service, status, environment))
        case .exited:
            if status?.exitStatus == 0 {
                self = service.restart.endsAtZero ? .done : .starting
            } else {
                self =
                    service.restart.comesBack(after: status?.restarts ?? 0)
                    ? .starting : .broken(Self.reason(service, status, environment))
            }
        }
    }

    /// Whether waiting is likely to help.
    var isOnItsWay: Bool { [.starting, .becomingHealthy, .completing].contains(self) }

    /// Why it is not well, with what it said last.
    private static func reason(_ service: Service, _ status: ServiceStatus?, _ environment: Name) -> Reason {
        let ended = status?.exitStatus.map { "ended with status \($0)" } ?? "failed"
        let lines = status?.crash?.lastLines ?? []
        let said = lines.isEmpty ? "" : " It said last: " + lines.map { "“\($0)”" }.joined(separator: " ")
        return Reason(
            code: status?.reason?.code ?? KilnError.Code.serviceFailed.value,
            message: (status?.reason?.message ?? "\(service.name) \(ended).") + said,
            hint: status?.reason?.hint ?? "See what it said: kl env logs \(environment) \(service.name)"
        )
    }
}

extension Service.RestartPolicy {
    /// Whether a program under it that ends with 0 has done its work.
    fileprivate var endsAtZero: Bool {
        switch self {
        case .no, .onFailure: true
        case .always, .unlessStopped: false
        }
    }

    fileprivate func comesBack(after restarts: Int) -> Bool {
        switch self {
        case .no: false
        case .always, .unlessStopped: true
        case .onFailure(let maximum): maximum.map { restarts < $0 } ?? true
        }
    }
}
