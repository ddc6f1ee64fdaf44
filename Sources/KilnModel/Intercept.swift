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
    /// When it was asked for.
    public var since: Timestamp

    public init(service: Name, port: ServicePort, target: UInt16, existing: Existing = .drain, fallback: Bool = true, since: Timestamp) {
        self.service = service
        self.port = port
        self.target = target
        self.existing = existing
        self.fallback = fallback
        self.since = since
    }
}

extension Intercept {
    /// A port of a service, which at most one workspace intercepts.
    public struct Key: Sendable, Hashable, Comparable, CustomStringConvertible {
        public let service: Name
        public let port: ServicePort

        public init(_ service: Name, _ port: ServicePort) {
            self.service = service
            self.port = port
        }

        /// Parses what `description` writes.
        public init(_ text: String) throws(KilnError) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            let words = parts.last?.split(separator: "/", omittingEmptySubsequences: false) ?? []
            guard parts.count == 2, (1...2).contains(words.count), let number = UInt16(words[0]),
                let transport = words.count == 1 ? .tcp : TransportProtocol(rawValue: String(words[1]))
            else { throw KilnError(.invalidValue, "“\(text.printable(limit: 80))” is no port of a service.", hint: "Write it like api:8080.") }
            self.init(try Name(String(parts[0])), ServicePort(number, transport))
        }

        public static func < (lhs: Key, rhs: Key) -> Bool { (lhs.service, lhs.port) < (rhs.service, rhs.port) }

        /// `api:8080`; `dns:53/udp`
        public var description: String { port.transport == .tcp ? "\(service):\(port.number)" : "\(service):\(port)" }
    }

    public var key: Key { Key(service, port) }

    /// The port in the workspace, as people write it: `3000`; `3000/udp`.
    public var targetText: String { ServicePort(target, port.transport).shortText }
}

extension ServicePort {
    /// `8080`; `53/udp`: TCP goes without saying.
    public var shortText: String { transport == .tcp ? "\(number)" : description }
}
