import Glibc
public import KilnModel

extension InstanceNetwork {
    /// Makes a workspace's namespace, unconnected: the internet and names. A connection it has stays.
    public func ensureWorkspace(_ id: ResourceID, address: IPv4Address) async throws {
        try await change {
            try requireRouter()
            try ensureLeaf(.workspace(id), address: address)
        }
    }

    /// Removes a workspace's namespace and every trace of it: its connection, its veth, what is tracked of it.
    public func removeWorkspace(_ id: ResourceID) async throws {
        try await change {
            let namespace = workspaceNamespace(id)
            let address = namespace.exists ? try workspaceAddress(id) : nil
            if let address { try disconnectHere(id, address: address) }
            try forget(.workspace(id), address: address, in: routerNamespace)
            // Veths too: a process may keep the namespace alive behind the pin.
            if namespace.exists { try deleteVeths(in: namespace) }
            try namespace.deleteHere()
        }
    }

    /// A namespace that sees the internet and names through the router, and nothing of ours.
    func ensureLeaf(_ owner: NamespaceNames.Owner, address: IPv4Address) throws {
        let namespace = names.namespace(of: owner)
        try namespace.createHere(.container)
        try namespace.enter { try Table.workspace.ensureHere() }
        let plug = Plug(
            leaf: namespace, leafInterface: "eth0", hub: routerNamespace, hubInterface: NamespaceNames.interface(of: owner), address: address,
            gateway: AddressPlan.uplinkGateway, leafAlias: "uplink", hubAlias: NamespaceNames.alias(of: owner),
            destinations: [.init(prefix: .everywhere), .init(prefix: .resolver, metric: Self.uplinkResolverMetric)],
            unreachable: [AddressPlan.services, AddressPlan.callers])
        try plug.ensure()
    }

    /// The way to the resolver by the uplink stays under a connection's, and takes over the moment that one is gone.
    private static let uplinkResolverMetric: UInt32 = 100

    func workspaceAddress(_ id: ResourceID) throws -> IPv4Address? { try address(in: workspaceNamespace(id), within: AddressPlan.workspaces) }

    /// The address of a range that a namespace has, on its loopback.
    func address(in namespace: NetworkNamespace, within range: IPv4Prefix) throws -> IPv4Address? {
        try NetlinkSocket.route(in: namespace).addresses().first { range.contains($0.address) }?.address
    }

    /// Takes the hub's end of an owner's veth away, and what the hub tracks of the owner's address.
    func forget(_ owner: NamespaceNames.Owner, address: IPv4Address?, in hub: NetworkNamespace) throws {
        guard hub.exists else { return }
        try NetlinkSocket.route(in: hub).send([.deleteLink(named: NamespaceNames.interface(of: owner))])
        if let address { try Conntrack.delete(in: hub) { $0.mentions(address) } }
    }
}

extension IPv4Prefix {
    static let resolver = IPv4Prefix(AddressPlan.resolver, 32)
}
