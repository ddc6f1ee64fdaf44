import KilnModel

/// What to do now towards a running environment, and what to say of each service. Pure: from what should be and what is.
struct EnvironmentPlan: Equatable {
    /// One container of the environment as found.
    struct Observed: Equatable {
        var container: String
        var service: Name
        /// Which of the service's it is, from 1.
        var number = 1
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
        /// Why its program did not even begin.
        var obstacle: String?
        /// nil: no check, or none finished yet.
        var health: Health?
        /// What the image it was made from says.
        var imageCheck: Service.Healthcheck?

        var replica: Replica { Replica(service, number) }
        /// Unix time at which it is started again by itself; nil: it runs, or stays ended.
        var nextStart: Double? { isRunning || !startedSinceBoot ? nil : run.flatMap { record.nextStart(after: $0) } }
        var comesBack: Bool { nextStart != nil }
        var hasEndedWell: Bool { !isRunning && startedSinceBoot && exitStatus == 0 && !comesBack }
    }

    /// A container that is to be started.
    struct Start: Equatable {
        var service: Name
        /// Which of the service's, from 1.
        var number = 1
        /// Whether it is made first.
        var creates: Bool
    }

    /// Containers of what changed or is gone; they go before others start.
    var removed: [Replica] = []
    var starts: [Start] = []
    var statuses: [ServiceStatus] = []

    var isEmpty: Bool { removed.isEmpty && starts.isEmpty }

    /// The services that get new containers.
    var created: Set<Name> { Set(starts.filter(\.creates).map(\.service)) }

    /// - Parameter now: Unix time.
    init(services: [Service], revisions: [Name: String], observed: [Observed], now: Double) {
        let wanted = Set(services.flatMap(\.containers))
        let several = Set(services.filter { $0.replicas > 1 }.map(\.name))
        var current: [Replica: Observed] = [:]
        var stale: [Replica: Observed] = [:]
        for container in observed {
            let replica = container.replica
            if wanted.contains(replica), revisions[container.service] == container.revision, current[replica] == nil {
                current[replica] = container
            } else if wanted.contains(replica), several.contains(container.service), container.isRunning {
                stale[replica] = container
            } else {
                removed.append(replica)
            }
        }
        for service in services {
            guard let replica = Self.turn(of: service, current, stale) else { continue }
            stale[replica] = nil
            removed.append(replica)
        }
        for service in services {
            let obstacle = Self.obstacle(to: service, services, current)
            let replicas = service.containers.map { replica -> ReplicaStatus in
                if stale[replica] != nil { return Self.status(service, replica.number, .starting, reason: Self.awaitingTurn(replica)) }
                let container = current[replica]
                if let container, container.isRunning || container.startedSinceBoot { return Self.status(of: service, container, now) }
                if let obstacle {
                    return Self.status(service, replica.number, obstacle.isFinal ? .failed : .waiting, reason: obstacle.reason)
                }
                starts.append(.init(service: service.name, number: replica.number, creates: container == nil))
                return Self.status(service, replica.number, .starting)
            }
            statuses.append(ServiceStatus(service, replicas))
        }
    }

    /// Which of several containers that run is replaced now: one after the other, the next when those that were are ready. One that is not ready
    /// itself goes first.
    private static func turn(of service: Service, _ current: [Replica: Observed], _ stale: [Replica: Observed]) -> Replica? {
        let waiting = service.containers.filter { stale[$0] != nil }
        let others = service.containers.filter { stale[$0] == nil }
        let isClear = others.allSatisfy { replica in
            current[replica].map { $0.isReady(in: service) || $0.hasEndedWell } ?? false
        }
        return isClear ? waiting.first { stale[$0]?.isReady(in: service) == false } ?? waiting.first : nil
    }

    private static func awaitingTurn(_ replica: Replica) -> Reason {
        Reason(code: "awaiting-turn", message: "\(replica) is replaced when those before it are ready; the old one serves until then.")
    }

    private struct Obstacle {
        var reason: Reason
        /// It will not go away by waiting.
        var isFinal: Bool
        /// Whether the service must not start with it.
        var isRequired: Bool
    }

    /// What keeps a service's containers from being started.
    private static func obstacle(to service: Service, _ services: [Service], _ current: [Replica: Observed]) -> Obstacle? {
        let obstacles = service.dependencies.flatMap { dependency -> [Obstacle] in
            guard let other = services.first(where: { $0.name == dependency.service }) else { return [] }
            return other.containers.compactMap { Self.obstacle(dependency, service: other, container: current[$0]) }
        }
        .filter { $0.isRequired || !$0.isFinal }
        return obstacles.first(where: \.isFinal) ?? obstacles.first
    }

    private static func obstacle(_ dependency: Service.Dependency, service: Service, container: Observed?) -> Obstacle? {
        let name = dependency.service
        let running = container?.isRunning == true
        let ended = container.map { !$0.isRunning && $0.startedSinceBoot && !$0.comesBack } ?? false
        switch dependency.condition {
        case .started:
            if running || (ended && container?.exitStatus == 0) { return nil }
        case .healthy:
            if let container, container.isReady(in: service) { return nil }
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
}
