public import KilnModel

/// A port of a service whose traffic is to reach a workspace.
public struct WorkspaceIntercept: Sendable, Hashable {
    /// As in `Service.addressIndex`.
    public let serviceIndex: Int
    /// The service's port, and with it the transport.
    public let port: ServicePort
    /// The port in the workspace.
    public let target: UInt16
    /// Whether connections that are open when the traffic switches, in either direction, are reset; otherwise whoever has them finishes them.
    public let cut: Bool
    /// Whether the original answers while nothing listens on the target.
    public let fallback: Bool

    /// - Throws: `KilnError` when the index or a port is out of range.
    public init(serviceIndex: Int, port: ServicePort, target: UInt16, cut: Bool = false, fallback: Bool = true) throws(KilnError) {
        guard (1...AddressPlan.maximumIndex).contains(serviceIndex) else {
            throw KilnError(.invalidValue, "No service has the index \(serviceIndex).")
        }
        guard port.number > 0, target > 0 else { throw KilnError(.invalidValue, "Port 0 cannot be intercepted or be a target.") }
        self.serviceIndex = serviceIndex
        self.port = port
        self.target = target
        self.cut = cut
        self.fallback = fallback
    }

    /// Where the workspace's program has to listen, on 127.0.0.1 or on all addresses.
    public var targetPort: ServicePort { ServicePort(target, port.transport) }
}

/// An intercept as the kernel has it.
public struct InterceptState: Sendable, Hashable {
    public let intercept: WorkspaceIntercept
    /// Whether the traffic goes to the workspace; otherwise it waits for a listener, and the original answers.
    public let isOn: Bool
    /// Whether a program listened on the target. Nobody tells of its start: look again while one is missing.
    public let hasListener: Bool

    public init(intercept: WorkspaceIntercept, isOn: Bool, hasListener: Bool) {
        self.intercept = intercept
        self.isOn = isOn
        self.hasListener = hasListener
    }
}

/// What has passed through an intercept since it was set; waiting does not reset it.
public struct InterceptCount: Sendable, Hashable {
    public let serviceIndex: Int
    public let port: ServicePort
    /// Connections and, with UDP, exchanges.
    public let connections: Int
    /// IP packets' bytes in both directions.
    public let bytes: Int
    /// Connections by the caller's address. Of the first 4,096 callers of an environment; `connections` counts all.
    public let callers: [IPv4Address: Int]

    public init(serviceIndex: Int, port: ServicePort, connections: Int, bytes: Int, callers: [IPv4Address: Int]) {
        self.serviceIndex = serviceIndex
        self.port = port
        self.connections = connections
        self.bytes = bytes
        self.callers = callers
    }
}
