public import KilnModel

/// Who takes connections and datagrams in a namespace.
enum ListenerTable {
    /// The ports on which something takes what is sent to 127.0.0.1: listeners there, on all IPv4 addresses, or on `::` without IPV6_V6ONLY;
    /// with UDP, bound sockets that are not connected.
    static func ports(in namespace: NetworkNamespace, _ transports: Set<TransportProtocol> = [.tcp, .udp]) throws -> Set<ServicePort> {
        // Asked for apart: with only listeners wanted the kernel does not look through all connections.
        let sockets = try transports.flatMap { transport in
            try OpenSocket.list(in: namespace, OpenSocket.Query(transports: [transport], states: [transport == .tcp ? .listening : .closed]))
        }
        return Set(sockets.filter(\.takesLoopback).map { ServicePort($0.localPort, $0.transport) })
    }
}

extension OpenSocket {
    /// Whether connections or datagrams to 127.0.0.1 and its port reach it.
    var takesLoopback: Bool {
        let isOpen = transport == .tcp ? state == .listening : state == .closed && remotePort == 0
        return isOpen && localPort != 0 && !isIPv6Only && (local == IPv4Address(0, 0, 0, 0) || local == IPv4Address(127, 0, 0, 1))
    }
}

extension InstanceNetwork {
    /// The ports on which a workspace's programs take what an intercept sends them. Cheap enough to look every now and then.
    public func listeners(of workspace: ResourceID) async throws -> Set<ServicePort> {
        let namespace = workspaceNamespace(workspace)
        return try await DedicatedThread.run { namespace.exists ? try ListenerTable.ports(in: namespace) : [] }
    }
}
