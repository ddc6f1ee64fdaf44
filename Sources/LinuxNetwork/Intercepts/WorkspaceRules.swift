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
            // Two intercepts with the same target share it.
            let incoming = "\(holder) . \(key.port.transport.rawValue) . \(intercept.target)"
            let end = Self.end(of: intercept, holder, listening)
            if end == holder {
                elements[Self.open.name, incoming] = ""
            } else {
                elements[Self.intercepts.name, incoming] = "\(end) . \(intercept.target)"
            }
            elements[Self.intercepts.name, key.element] = "\(end) . \(intercept.target)"
            elements[Self.marks.name, key.element] = SetElements.mark(key.mark)
        }
    }

    /// The address the program is called by: 127.0.0.1, where programs that care for nobody else listen. A UDP socket on all addresses answers
    /// from the workspace's own, whatever it was called by, and the answer would be nobody's; so it is called by that.
    static func end(of intercept: WorkspaceIntercept, _ holder: IPv4Address, _ listening: ListenerTable) -> IPv4Address {
        let isUDP = intercept.port.transport == .udp
        return isUDP && !listening.onLoopback.contains(intercept.targetPort) ? holder : .loopback
    }

    func additions(to current: SetElements) -> [String] {
        contradictions(in: current) + elements.additions(to: current, table: Table.inNamespace)
    }

    /// The commands that take away what these rules lack. What remote callers came by stays a moment, and goes by itself.
    func removals(from current: SetElements) -> [String] {
        elements.removals(
            from: current, table: Table.inNamespace,
            grace: (Self.grace, { $1.hasPrefix("\(holder) . ") && elements[Self.open.name, $1] == nil && elements[Self.intercepts.name, $1] == nil }))
    }

    /// What is about to go and would lead callers astray meanwhile: the program listened on 127.0.0.1 before and is open to all now.
    private func contradictions(in current: SetElements) -> [String] {
        let keys = elements.keys(of: Self.open.name).intersection(current.leaving[Self.intercepts.name] ?? []).sorted()
        return keys.flatMap { key in
            let port = key.split(separator: " ").last ?? ""
            // Added first: it may be gone any moment, and deleting what is not there fails.
            return [
                "add element ip \(Table.inNamespace) \(Self.intercepts.name) { \(key) : \(IPv4Address.loopback) . \(port) }",
                "delete element ip \(Table.inNamespace) \(Self.intercepts.name) { \(key) }",
            ]
        }
    }
}

extension WorkspaceRules {
    /// For callers from the environment, by the workspace's own address and the target; for its own calls, by virtual address and port.
    static let intercepts = Table.Collection(
        keyword: "map", name: "intercepts", type: EnvironmentIntercepts.intercepts.type, options: "flags timeout;")
    /// What callers from the environment reach untranslated.
    static let open = Table.Collection(keyword: "set", name: "open", type: EnvironmentIntercepts.keyType, options: "flags timeout;")
    /// The workspace's own calls never reach the environment, so they are counted here.
    static let marks = EnvironmentIntercepts.marks
    static let connections = EnvironmentIntercepts.connections
    static let traffic = EnvironmentIntercepts.traffic
    static let collections = [intercepts, open, marks, connections, traffic]

    /// Seconds that a connection which the environment just sent on may take to get here after its intercept was switched off.
    static let grace = 2

    /// On the calling `DedicatedThread`.
    static func readElements(in namespace: NetworkNamespace) throws -> SetElements {
        try namespace.enter { try Nftables.elementsHere(of: collections, in: Table.inNamespace) }
    }
}
