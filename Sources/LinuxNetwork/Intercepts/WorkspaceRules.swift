import KilnModel

/// What a workspace's table holds for its intercepts that are on; it follows from the environment's record. Pure.
enum WorkspaceRules {
    /// For callers from the environment, by the workspace's own address and the target; for its own calls, by virtual address and port.
    static let intercepts = Table.Collection(
        keyword: "map", name: "intercepts", type: EnvironmentIntercepts.intercepts.type, options: "flags timeout;")
    /// The workspace's own calls never reach the environment, so they are counted here.
    static let marks = EnvironmentIntercepts.marks
    static let connections = EnvironmentIntercepts.connections
    static let traffic = EnvironmentIntercepts.traffic
    static let collections = [intercepts, marks, connections, traffic]

    private static let loopback = IPv4Address(127, 0, 0, 1)

    /// How long a connection that the environment just sent on may take to get here after its intercept was switched off.
    static let grace = 2

    static func elements(_ intercepts: EnvironmentIntercepts, of holder: IPv4Address) -> SetElements {
        var elements = SetElements(collections.map(\.name))
        for state in intercepts.states(of: holder) {
            let (key, target) = (state.intercept.key, state.intercept.target)
            elements[Self.connections.name, SetElements.mark(key.mark)] = ""
            elements[Self.traffic.name, SetElements.mark(key.mark)] = ""
            guard state.isOn else { continue }
            elements[Self.intercepts.name, incoming(state.intercept, holder)] = "\(loopback) . \(target)"
            elements[Self.intercepts.name, key.element] = "\(loopback) . \(target)"
            elements[Self.marks.name, key.element] = SetElements.mark(key.mark)
        }
        return elements
    }

    /// Two intercepts with the same target share it.
    private static func incoming(_ intercept: WorkspaceIntercept, _ holder: IPv4Address) -> String {
        "\(holder) . \(intercept.port.transport.rawValue) . \(intercept.target)"
    }

    /// The commands that take away what these elements lack. What remote callers came by stays a moment, and goes by itself.
    static func removals(_ elements: SetElements, from current: SetElements, of holder: IPv4Address) -> [String] {
        elements.removals(
            from: current, table: Table.inNamespace,
            grace: (Self.grace, { name, key in name == Self.intercepts.name && key.hasPrefix("\(holder) . ") }))
    }
}
