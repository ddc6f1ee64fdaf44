import KilnModel

/// What is said of one container.
extension EnvironmentPlan {
    static func status(of service: Service, _ container: Observed, _ now: Double) -> ReplicaStatus {
        guard container.isRunning else { return endedStatus(of: service, container) }
        let name = container.replica.name(among: service.replicas)
        if let run = container.run, container.record.isLooping(in: run, now: now) {
            let reason = Reason(code: crashLoop, message: "\(name) runs again, after it ended \(container.record.attempts) times in a row.")
            var status = status(service, container, .crashLoop, reason: reason)
            status.crash = Crash(times: container.record.attempts)
            return status
        }
        guard service.healthcheck(ofImage: container.imageCheck) != nil else { return status(service, container, .running) }
        switch container.health {
        case .healthy: return status(service, container, .healthy)
        case .unhealthy(let message):
            let said = service.replicas > 1 ? "\(name): \(message)" : message
            return status(service, container, .unhealthy, reason: Reason(code: "unhealthy", message: said))
        case .starting, nil: return status(service, container, .starting)
        }
    }

    private static func endedStatus(of service: Service, _ container: Observed) -> ReplicaStatus {
        let exit = container.exitStatus ?? 0
        let times = container.run.map { container.record.ends(after: $0) } ?? 1
        let next = container.nextStart
        guard exit != 0 || next != nil else { return status(service, container, .exited) }
        let why = container.obstacle.map { ": \($0)" } ?? ""
        let often = times > 1 ? ", \(times) times in a row" : ""
        let what = "\(container.replica.name(among: service.replicas)) ended with status \(exit)\(often)\(why)"
        var result: ReplicaStatus
        if next == nil {
            result = status(service, container, .failed, reason: Reason(code: "exited", message: "\(what)."))
        } else if times > RestartRecord.loop {
            result = status(service, container, .crashLoop, reason: Reason(code: crashLoop, message: "\(what)."))
        } else {
            result = status(service, container, .starting, reason: Reason(code: "restarting", message: "\(what), and is started again."))
        }
        result.crash = Crash(times: times, nextTry: next.map(Timestamp.init(seconds:)), lastLines: container.lastLines)
        return result
    }

    private static let crashLoop = "crash-loop"

    private static func status(_ service: Service, _ container: Observed, _ phase: ServiceStatus.Phase, reason: Reason? = nil) -> ReplicaStatus {
        var status = status(service, container.number, phase, reason: reason)
        status.exitStatus = container.isRunning ? nil : container.exitStatus
        status.restarts = container.record.restarts
        return status
    }

    static func status(_ service: Service, _ number: Int, _ phase: ServiceStatus.Phase, reason: Reason? = nil) -> ReplicaStatus {
        let index = AddressPlan.containerIndex(service.addressIndex, replica: number)
        return ReplicaStatus(number: number, phase: phase, reason: reason, address: AddressPlan.container(index))
    }
}
