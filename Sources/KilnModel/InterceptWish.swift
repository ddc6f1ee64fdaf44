/// What somebody wants to intercept. What is nil follows from the ports that the service declares.
public struct InterceptWish: Sendable, Hashable {
    public var service: Name
    /// Empty: the service's only port, to the same number.
    public var ports: [PortWish]
    public var existing: Intercept.Existing
    public var fallback: Bool

    public init(service: Name, ports: [PortWish] = [], existing: Intercept.Existing = .drain, fallback: Bool = true) {
        self.service = service
        self.ports = ports
        self.existing = existing
        self.fallback = fallback
    }

    /// One port of the wish.
    public struct PortWish: Sendable, Codable, Hashable {
        /// The service's side.
        public struct Pattern: Sendable, Codable, Hashable {
            public var number: UInt16?
            public var transport: TransportProtocol?

            public init(number: UInt16? = nil, transport: TransportProtocol? = nil) {
                self.number = number
                self.transport = transport
            }

            public init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: CodingKeys.self)
                number = try container.decodePort(.number)
                transport = try container.decodeIfPresent(TransportProtocol.self, forKey: .transport)
            }
        }

        public var port: Pattern?
        /// The port in the workspace.
        public var target: UInt16?

        public init(number: UInt16? = nil, transport: TransportProtocol? = nil, target: UInt16? = nil) {
            if number != nil || transport != nil { port = Pattern(number: number, transport: transport) }
            self.target = target
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            port = try container.decodeIfPresent(Pattern.self, forKey: .port)
            target = try container.decodePort(.target)
        }
    }

    /// The intercepts that are meant, given the ports that the service declares.
    ///
    /// A number names that port, declared or not; its transport is the declared one, TCP in doubt. A target alone means the service's only
    /// port, or among several the one of the same number. Nothing at all means the service's only port, to the same number.
    /// - Throws: `port-needed` when several could be meant, or none; `invalid-value` for port 0 and for a port named twice.
    public func intercepts(declared: [ServicePort], since: Timestamp) throws(KilnError) -> [Intercept] {
        var intercepts: [Intercept] = []
        for wish in ports.isEmpty ? [PortWish()] : ports {
            let port = try resolve(wish, declared)
            let target = wish.target ?? port.number
            guard target > 0, port.number > 0 else { throw KilnError.noPort(0) }
            guard !intercepts.contains(where: { $0.port == port }) else {
                throw KilnError(
                    .invalidValue, "\(Intercept.Key(service, port)) is named twice.", hint: "A port of a service goes to one port of the workspace."
                )
            }
            intercepts.append(Intercept(service: service, port: port, target: target, existing: existing, fallback: fallback, since: since))
        }
        return intercepts
    }

    private func resolve(_ wish: PortWish, _ declared: [ServicePort]) throws(KilnError) -> ServicePort {
        let candidates = Set(declared).filter { wish.port?.transport == nil || $0.transport == wish.port?.transport }
        if let number = wish.port?.number {
            let named = candidates.filter { $0.number == number }
            return ServicePort(number, wish.port?.transport ?? (named.count == 1 ? named.first?.transport : nil) ?? .tcp)
        }
        if candidates.count == 1, let only = candidates.first { return only }
        let equal = candidates.filter { $0.number == wish.target }
        if equal.count == 1, let port = equal.first { return port }
        let transport = wish.port?.transport.map { $0.rawValue.uppercased() + " " } ?? ""
        guard !candidates.isEmpty else {
            throw KilnError(
                .portNeeded, "The service \(service) declares no \(transport)port.", hint: "Name one, and where it goes: --port 8080:3000")
        }
        let list = candidates.sorted().map(\.shortText).joined(separator: ", ")
        throw KilnError(
            .portNeeded, "The service \(service) has several \(transport)ports: \(list).",
            hint: "Name one, and where it goes: --port \(example(candidates))"
        )
    }

    private func example(_ candidates: Set<ServicePort>) -> String {
        let port = candidates.sorted().first ?? ServicePort(8080)
        return "\(port.number):3000" + (port.transport == .udp ? "/udp" : "")
    }
}

extension KeyedDecodingContainer {
    fileprivate func decodePort(_ key: Key) throws -> UInt16? {
        guard let number = try decodeIfPresent(Int.self, forKey: key) else { return nil }
        guard let port = UInt16(exactly: number), port > 0 else { throw KilnError.noPort(number) }
        return port
    }
}

extension KilnError {
    fileprivate static func noPort(_ number: Int) -> KilnError {
        KilnError(.invalidValue, "There is no port \(number).", hint: "Ports are 1 to 65535.")
    }
}

extension KilnError.Code {
    /// Which port is meant must be said.
    public static let portNeeded = Self("port-needed", .usage)
}
