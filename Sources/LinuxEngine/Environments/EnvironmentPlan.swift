import KilnModel

/// What to do now towards a running environment, and what to say of each service. Pure: from what should be and what is.
struct EnvironmentPlan: Equatable {
    /// One container of the environment as found.
    struct Observed: Equatable {
        var container: String
        var service: Name
        /// Digest of the `Service` it was made from.
        var revision: String
        var isRunning: Bool
        /// Whether it was started since the machine booted; if not, its end says nothing about the program.
        var startedSinceBoot: Bool
        var exitStatus: Int?
        var record: RestartRecord
        /// nil: it runs as it should, or never ran.
        var run: RestartRecord.Run?
        /// Of one that ended.
        var lastLines: [String]
        /// nil: no check, or none finished yet.
        var health: Health?

        /// Unix time at which it is started again by itself; nil: it runs, or stays ended.
        var nextStart: Double? { isRunning || !startedSinceBoot ? nil : run.flatMap { record.nextStart(after: $0) } }
        var comesBack: Bool { nextStart != nil }
    }

    /// A service whose container is to be started.
    struct Start: Equatable {
        var service: Name
        /// Whether it is made first.
        var creates: Bool
    }

    /// Services that changed or are gone, whose containers go before others start.
    var removed: [Name] = []
    var starts: [Start] = []
    var statuses: [ServiceStatus] = []

    var isEmpty: Bool { removed.isEmpty && starts.isEmpty }

    /// The services that get new containers.
    var created: [Name] { starts.filter(\.creates).map(\.service) }

    /// - Parameter now: Unix time.
    init(services: [Service], revisions: [Name: String], observed: [Observed], now: Double) {
        var current: [Name: Observed] = [:]
        for container in observed {
            if revisions[container.service] == container.revision, current[container.service] == nil {
                current[container.service] = container
            } else {
                removed.append(container.service)
            }
        }
        for service in services {
            let container = current[service.name]
            if let container, container.isRunning || container.startedSinceBoot {
                statuses.append(Self.status(of: service, container, now))
                continue
            }
            let obstacles = service.dependencies.compactMap { dependency in
                services.first { $0.name == dependency.service }.flatMap { Self.obstacle(dependency, service: $0, container: current[$0.name]) }
            }
            .filter { $0.isRequired || !$0.isFinal }
            if let obstacle = obstacles.first(where: \.isFinal) ?? obstacles.first {
                statuses.append(Self.status(service, obstacle.isFinal ? .failed : .waiting, reason: obstacle.reason))
            } else {
                starts.append(.init(service: service.name, creates: container == nil))
                statuses.append(Self.status(service, .starting))
            }
        }
    }

    private struct Obstacle {
        var reason: Reason
        /// It will not go away by waiting.
        var isFinal: Bool
        /// Whether the service must not start with it.
        var isRequired: Bool
    }

    private static func obstacle(_ dependency: Service.Dependency, service: Service, container: Observed?) -> Obstacle? {
        let name = dependency.service
        let running = container?.isRunning == true
        let ended = container.map { !$0.isRunning && $0.startedSinceBoot && !$0.comesBack } ?? false
        switch dependency.condition {
        case .started:
            if running || (ended && container?.exitStatus == 0) { return nil }
        case .healthy:
            if running && (service.healthcheck == nil || container?.health == .healthy) { return nil }
        case .completed:
            if let container, !container.isRunning, container.startedSinceBoot, container.exitStatus == 0 { return nil }
        }
        if ended, let status = container?.exitStatus, status != 0 || dependency.condition == .healthy {
            return Obstacle(
                reason: Reason(code: "dependency-failed", message: "\(name), which it needs, ended with status \(status)."), isFinal: true,
                isRequired: dependency.required)
        }
        let wanted =
            switch dependency.condition {
            case .started: "to start"
            case .healthy: "to be healthy"
            case .completed: "to complete"
            }
        return Obstacle(reason: Reason(code: "waits", message: "Waits for \(name) \(wanted)."), isFinal: false, isRequired: dependency.required)
    }

    private static func status(of service: Service, _ container: Observed, _ now: Double) -> ServiceStatus {
        guard container.isRunning else { return endedStatus(of: service, container) }
        if let run = container.run, container.record.isLooping(in: run, now: now) {
            var status = status(service, .crashLoop, container)
            status.reason = Reason(
                code: crashLoop, message: "\(service.name) runs again, after it ended \(container.record.attempts) times in a row.")
            status.crash = Crash(times: container.record.attempts)
            return status
        }
        guard service.healthcheck.map({ !$0.command.isEmpty }) == true else { return status(service, .running, container) }
        switch container.health {
        case .healthy: return status(service, .healthy, container)
        case .unhealthy(let message): return status(service, .unhealthy, container, reason: Reason(code: "unhealthy", message: message))
        case .starting, nil: return status(service, .starting, container)
        }
    }

    private static func endedStatus(of service: Service, _ container: Observed) -> ServiceStatus {
        let exit = container.exitStatus ?? 0
        let times = container.run.map { container.record.ends(after: $0) } ?? 1
        let next = container.nextStart
        guard exit != 0 || next != nil else { return status(service, .exited, container) }
        let what = "\(service.name) ended with status \(exit)" + (times > 1 ? ", \(times) times in a row" : "")
        var result: ServiceStatus
        if next == nil {
            result = status(service, .failed, container, reason: Reason(code: "exited", message: "\(what)."))
        } else if times > RestartRecord.loop {
            result = status(service, .crashLoop, container, reason: Reason(code: crashLoop, message: "\(what)."))
        } else {
            result = status(service, .starting, container, reason: Reason(code: "restarting", message: "\(what), and is started again."))
        }
        result.crash = Crash(times: times, nextTry: next, lastLines: container.lastLines)
        return result
    }

    private static let crashLoop = "crash-loop"

    private static func status(_ service: Service, _ phase: ServiceStatus.Phase, _ container: Observed? = nil, reason: Reason? = nil) -> ServiceStatus
    {
        ServiceStatus(
            name: service.name, phase: phase, reason: reason, address: AddressPlan.virtual(service.addressIndex), ports: service.ports,
            exitStatus: container?.isRunning == false ? container?.exitStatus : nil, restarts: container?.record.restarts ?? 0)
    }
}
