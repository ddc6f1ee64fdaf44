/// One container of a service as last observed.
public struct ReplicaStatus: Sendable, Codable, Hashable {
    /// From 1.
    public var number: Int
    public var phase: ServiceStatus.Phase
    public var reason: Reason?
    /// Its own; the service's leads to all.
    public var address: IPv4Address
    /// Exit status of the last run, when it has ended.
    public var exitStatus: Int?
    public var restarts: Int
    /// nil while it is as it should be.
    public var crash: Crash?

    public init(
        number: Int, phase: ServiceStatus.Phase, reason: Reason? = nil, address: IPv4Address, exitStatus: Int? = nil, restarts: Int = 0,
        crash: Crash? = nil
    ) {
        self.number = number
        self.phase = phase
        self.reason = reason
        self.address = address
        self.exitStatus = exitStatus
        self.restarts = restarts
        self.crash = crash
    }
}

extension ServiceStatus {
    /// What is to be said of a service with these containers: it is as well as the one that is worst off.
    public init(_ service: Service, _ replicas: [ReplicaStatus]) {
        let speaker = replicas.max { ($0.phase.concern, $1.number) < ($1.phase.concern, $0.number) }
        self.init(
            name: service.name, phase: speaker?.phase ?? .stopped, reason: speaker?.reason, address: AddressPlan.virtual(service.addressIndex),
            ports: service.ports, exitStatus: speaker?.exitStatus, restarts: replicas.reduce(0) { $0 + $1.restarts })
        crash = speaker?.crash
        if replicas.isEmpty { reason = Reason(code: "no-replicas", message: "\(service.name) is to have no container (“replicas: 0”).") }
        if replicas.count > 1 { self.replicas = replicas }
    }
}

extension ServiceStatus.Phase {
    /// How much a service should be judged by the container that is in it.
    fileprivate var concern: Int {
        switch self {
        case .stopped: 0
        case .exited: 1
        case .healthy: 2
        case .running: 3
        case .starting: 4
        case .waiting: 5
        case .unhealthy: 6
        case .crashLoop: 7
        case .failed: 8
        }
    }
}
