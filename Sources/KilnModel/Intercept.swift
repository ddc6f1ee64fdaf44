/// A rule that sends one port of a service to a port of a connected workspace. At most one exists for each port of a service.
public struct Intercept: Sendable, Codable, Hashable {
    /// What becomes of connections that are open when the traffic switches, in either direction.
    public enum Existing: String, Sendable, Codable, CaseIterable {
        /// Whoever has them finishes them.
        case drain
        /// They are reset at once.
        case cut
    }

    public var service: Name
    /// The service's port; its transport is the target's, too.
    public var port: ServicePort
    /// The port in the workspace.
    public var target: UInt16
    public var existing: Existing
    /// Whether the original answers while nothing listens on the target; otherwise callers are refused.
    public var fallback: Bool
    /// Unix time at which it was asked for.
    public var since: Double

    public init(service: Name, port: ServicePort, target: UInt16, existing: Existing = .drain, fallback: Bool = true, since: Double) {
        self.service = service
        self.port = port
        self.target = target
        self.existing = existing
        self.fallback = fallback
        self.since = since
    }
}

/// An intercept as last verified.
public struct InterceptStatus: Sendable, Codable, Hashable {
    public enum Phase: String, Sendable, Codable {
        /// Asked for, and not looked at yet.
        case starting = "Starting"
        /// A probe from the environment's side reached the workspace.
        case active = "Active"
        /// Nothing listens on the target: the original answers.
        case waiting = "Waiting"
        /// The traffic is meant to reach the workspace and does not; the reason says why.
        case failing = "Failing"
        /// Another workspace took it over, as the reason says.
        case lost = "Lost"
    }

    public var service: Name
    public var port: ServicePort
    public var target: UInt16
    public var phase: Phase
    public var reason: Reason?
    /// Unix time of the last change of phase.
    public var since: Double

    public init(service: Name, port: ServicePort, target: UInt16, phase: Phase, reason: Reason? = nil, since: Double) {
        self.service = service
        self.port = port
        self.target = target
        self.phase = phase
        self.reason = reason
        self.since = since
    }
}
