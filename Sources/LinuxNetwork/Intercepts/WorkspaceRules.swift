import KilnModel

/// What a workspace's table holds for its intercepts that are on: it follows from the environment's record and from what listens. Pure.
struct WorkspaceRules: Sendable, Equatable {
    let holder: IPv4Address
    private(set) var elements = SetElements(Self.collections.map(\.name))

    init(_ intercepts: EnvironmentIntercepts, of holder: IPv4Address, listening: ListenerTable) {
        self.holder = holder
        for state in intercepts.states(of: holder) {
            let (key, intercept) = (state.intercept.key, state.intercept)
            elements[Self.connections.name, SetElements.mark(key.mark)] = ""
            elements[Self.traffic.name, SetElements.mark(key.mark)] = ""
            guard state.isOn else { continue }
            elements[Self.marks.name, key.element] = SetElements.mark(key.mark)
            // Two intercepts with the same target share it.
            let incoming = "\(holder) . \(key.port.transport.rawValue) . \(intercept.target)"
            let end = Place(address: Self.end(of: intercept, holder, listening), port: intercept.target)
            guard key.port.transport == .udp, let zone = intercepts.zones[Place(address: holder, port: intercept.target)] else {
                for key in [incoming, key.element] { elements[Self.intercepts.name, key] = end.element }
                continue
            }
            if end.address == holder { elements[Self.open.name, incoming] = "" }
            let own = zone << 1 | (end.address == holder ? 0 : 1)
            for key in [incoming, key.element] { elements[Self.zoned.name, key] = "\(own)" }
            elements[Self.places.name, "\(own)"] = end.element
        }
    }

    /// The address the program is called by: 127.0.0.1, where programs that care for nobody else listen. A UDP socket on all addresses answers
    /// from the workspace's own, whatever it was called by, and the answer would be nobody's; so it is called by that.
    static func end(of intercept: WorkspaceIntercept, _ holder: IPv4Address, _ listening: ListenerTable) -> IPv4Address {
        let isUDP = intercept.port.transport == .udp
        return isUDP && !listening.onLoopback.contains(intercept.targetPort) ? holder : .loopback
    }

    func additions(to current: SetElements) -> [String] { elements.additions(to: current, table: Table.inNamespace) }

    /// The commands that take away what these rules lack. What remote callers came by stays a moment, and goes by itself.
    func removals(from current: SetElements) -> [String] {
        elements.removals(
            from: current, table: Table.inNamespace,
            grace: (Self.grace, { name, key in name == Self.places.name || key.hasPrefix("\(holder) . ") }))
    }
}

extension WorkspaceRules {
    /// TCP: for callers from the environment, by the workspace's own address and the target; for its own calls, by virtual address and port.
    static let intercepts = Table.Collection(
        keyword: "map", name: "intercepts", type: EnvironmentIntercepts.intercepts.type, options: "flags timeout;")
    /// UDP, by the same keys: a zone for each end, so that exchanges follow a program that listens elsewhere now.
    static let zoned = EnvironmentIntercepts.zoned
    static let places = EnvironmentIntercepts.places
    /// What callers from the environment reach untranslated.
    static let open = Table.Collection(keyword: "set", name: "open", type: EnvironmentIntercepts.keyType, options: "flags timeout;")
    /// The workspace's own calls never reach the environment, so they are counted here.
    static let marks = EnvironmentIntercepts.marks
    static let connections = EnvironmentIntercepts.connections
    static let traffic = EnvironmentIntercepts.traffic
    static let collections = [intercepts, zoned, places, open, marks, connections, traffic]

    /// Seconds that a connection which the environment just sent on may take to get here after its intercept was switched off.
    static let grace = 2

    /// On the calling `DedicatedThread`.
    static func readElements(in namespace: NetworkNamespace) throws -> SetElements {
        try namespace.enter { try Nftables.elementsHere(of: collections, in: Table.inNamespace) }
    }
}
