/// An intercept as last verified.
public struct InterceptStatus: Sendable, Codable, Hashable {
    public enum Phase: String, Sendable, Codable, CaseIterable {
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
    /// The last change of phase.
    public var since: Timestamp

    public init(service: Name, port: ServicePort, target: UInt16, phase: Phase, reason: Reason? = nil, since: Timestamp) {
        self.service = service
        self.port = port
        self.target = target
        self.phase = phase
        self.reason = reason
        self.since = since
    }
}

extension InterceptStatus {
    public var key: Intercept.Key { Intercept.Key(service, port) }

    public init(_ intercept: Intercept, _ phase: Phase, reason: Reason? = nil, since: Timestamp) {
        self.init(service: intercept.service, port: intercept.port, target: intercept.target, phase: phase, reason: reason, since: since)
    }
}

extension Workspace.Status {
    /// Sees to it that there is an entry for each of `wanted`: what is new, was lost, or goes to another port than before is starting.
    public mutating func expect(_ wanted: [Intercept], now: Timestamp) {
        for intercept in wanted {
            guard let index = intercepts.firstIndex(where: { $0.key == intercept.key }) else {
                intercepts.append(InterceptStatus(intercept, .starting, since: now))
                continue
            }
            let known = intercepts[index]
            guard known.phase == .lost || known.target != intercept.target else { continue }
            intercepts[index] = InterceptStatus(intercept, .starting, since: now)
        }
    }
}
