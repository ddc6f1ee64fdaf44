public import KilnModel

/// Who takes connections and datagrams in a namespace that are sent to 127.0.0.1. Pure; `read` is the edge.
struct ListenerTable: Sendable, Equatable {
    /// Bound to 127.0.0.1.
    var onLoopback: Set<ServicePort> = []
    /// On all IPv4 addresses, or on `::` without IPV6_V6ONLY.
    var everywhere: Set<ServicePort> = []

    var ports: Set<ServicePort> { onLoopback.union(everywhere) }

    init(onLoopback: Set<ServicePort> = [], everywhere: Set<ServicePort> = []) {
        self.onLoopback = onLoopback
        self.everywhere = everywhere
    }

    init(_ sockets: [OpenSocket]) {
        for socket in sockets where socket.isOpenToAll && !socket.isIPv6Only {
            let port = ServicePort(socket.localPort, socket.transport)
            if socket.local == .loopback { onLoopback.insert(port) }
            if socket.local == .unspecified { everywhere.insert(port) }
        }
    }

    static func read(in namespace: NetworkNamespace, _ transports: Set<TransportProtocol> = [.tcp, .udp]) throws -> ListenerTable {
        // Asked for apart: with only listeners wanted the kernel does not look through all connections.
        ListenerTable(
            try transports.flatMap { transport in
                try OpenSocket.list(in: namespace, OpenSocket.Query(transports: [transport], states: [transport == .tcp ? .listening : .closed]))
            })
    }
}

extension OpenSocket {
    /// A listener, or a bound UDP socket that is not connected.
    var isOpenToAll: Bool { localPort != 0 && (transport == .tcp ? state == .listening : state == .closed && remotePort == 0) }
}

extension IPv4Address {
    static let loopback = IPv4Address(127, 0, 0, 1)
    static let unspecified = IPv4Address(0, 0, 0, 0)
}

extension InstanceNetwork {
    /// The ports on which a workspace's programs take what an intercept sends them. Cheap enough to look every now and then.
    public func listeners(of workspace: ResourceID) async throws -> Set<ServicePort> {
        let namespace = workspaceNamespace(workspace)
        return try await DedicatedThread.run { namespace.exists ? try ListenerTable.read(in: namespace).ports : [] }
    }
}
