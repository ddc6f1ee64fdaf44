internal import KilnModel

/// How far one service is. Pure.
enum ServiceProgress: Hashable {
    /// It serves, or has done what it had to.
    case done
    case starting, becomingHealthy
    /// It runs and will be needed once it has ended.
    case completing
    case unhealthy
    /// It will not come by itself.
    case broken(Reason)

    /// - Parameters:
    ///   - mustEnd: whether another service waits for it to end well.
    ///   - environment: its environment's name, for hints.
    init(_ service: Service, _ status: ServiceStatus?, mustEnd: Bool, environment: Name) {
        let hasCheck = service.healthcheck.map { !$0.command.isEmpty } ?? false
        switch status?.phase {
        case nil, .waiting, .stopped: self = .starting
        case .healthy: self = .done
        case .running where mustEnd: self = .completing
        case .running: self = hasCheck ? .becomingHealthy : .done
        case .starting: self = hasCheck ? .becomingHealthy : .starting
        case .unhealthy: self = .unhealthy
        case .failed: self = .broken(status?.reason ?? Self.exit(service, status, environment))
        case .exited:
            if status?.exitStatus == 0 {
                self = service.restart.endsAtZero ? .done : .starting
            } else {
                self =
                    service.restart.comesBack(after: status?.restarts ?? 0)
                    ? .starting : .broken(status?.reason ?? Self.exit(service, status, environment))
            }
        }
    }

    private static func exit(_ service: Service, _ status: ServiceStatus?, _ environment: Name) -> Reason {
        let ended = status?.exitStatus.map { "ended with status \($0)" } ?? "failed"
        return Reason(
            code: KilnError.Code.serviceFailed.value, message: "\(service.name) \(ended).",
            hint: "See what it said: kl env logs \(environment) \(service.name)"
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
