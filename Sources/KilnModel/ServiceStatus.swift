/// A service as last observed.
public struct ServiceStatus: Sendable, Codable, Hashable {
    public enum Phase: String, Sendable, Codable, CaseIterable {
        case waiting = "Waiting", starting = "Starting", running = "Running", healthy = "Healthy", unhealthy = "Unhealthy", exited = "Exited",
            stopped = "Stopped", failed = "Failed"
        /// It ends again and again, and is started again after a while.
        case crashLoop = "CrashLoop"
    }

    public var name: Name
    public var phase: Phase
    public var reason: Reason?
    public var address: IPv4Address
    public var ports: [ServicePort]
    /// Exit status of the last run, when it has ended.
    public var exitStatus: Int?
    public var restarts: Int
    /// nil while it is as it should be.
    public var crash: Crash?
    /// Its containers when they are several.
    public var replicas: [ReplicaStatus]?

    public init(
        name: Name, phase: Phase, reason: Reason? = nil, address: IPv4Address, ports: [ServicePort], exitStatus: Int? = nil, restarts: Int = 0
    ) {
        self.name = name
        self.phase = phase
        self.reason = reason
        self.address = address
        self.ports = ports
        self.exitStatus = exitStatus
        self.restarts = restarts
    }
}
