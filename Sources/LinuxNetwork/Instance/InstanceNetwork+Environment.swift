import Glibc
public import KilnModel

extension InstanceNetwork {
    /// Makes an environment's namespace: its resolver's address, its way out, its rules. Services and connections it has stay.
    public func ensureEnvironment(_ id: ResourceID, uplink: IPv4Address) async throws {
        try await change {
            try requireRouter()
            let namespace = environmentNamespace(id)
            try namespace.createHere(.router)
            try namespace.enter { try Table.environment(uplink: uplink).ensureHere() }
            let plug = Plug(
                leaf: namespace, leafInterface: "up0", hub: routerNamespace, hubInterface: NamespaceNames.interface(of: .environment(id)),
                address: uplink, gateway: AddressPlan.uplinkGateway, leafAlias: "uplink", hubAlias: NamespaceNames.alias(of: .environment(id)),
                // Its own resolver asks the forwarder, whose address lies in what is unreachable otherwise.
                destinations: [.init(prefix: .everywhere), .init(prefix: IPv4Prefix(forwarder, 32))],
                unreachable: [AddressPlan.all])
            try plug.ensure()
            let socket = try NetlinkSocket.route(in: namespace)
            try socket.send([.replaceAddress(AddressPlan.resolver, link: try socket.existingLink(named: "lo").index)])
            try takeOutOrphanedIntercepts(in: id)
        }
    }

    /// Disconnects every workspace from an environment, then removes its services' namespaces and its own.
    public func removeEnvironment(_ id: ResourceID) async throws {
        try await change {
            for workspace in try connectedWorkspaces(id) {
                if let address = try workspaceAddress(workspace) { try disconnectHere(workspace, address: address) }
            }
            for index in try serviceIndexes(id) { try removeServiceHere(environment: id, index: index) }
            let namespace = environmentNamespace(id)
            let uplink = namespace.exists ? try address(in: namespace, within: AddressPlan.environmentUplinks) : nil
            try forget(.environment(id), address: uplink, in: routerNamespace)
            if namespace.exists { try deleteVeths(in: namespace) }
            try namespace.deleteHere()
        }
    }

    /// Makes the namespace of a service's container.
    /// - Parameter index: as `AddressPlan.containerIndex` has it.
    /// - Throws: `KilnError` when the environment is not there.
    public func ensureService(environment: ResourceID, index: Int) async throws {
        try await change {
            try requireEnvironment(environment)
            let owner = NamespaceNames.Owner.service(environment: environment, index: index)
            let namespace = names.namespace(of: owner)
            try namespace.createHere(.container)
            let plug = Plug(
                leaf: namespace, leafInterface: "eth0", hub: environmentNamespace(environment), hubInterface: NamespaceNames.interface(of: owner),
                address: AddressPlan.container(index), gateway: AddressPlan.environmentGateway, leafAlias: "uplink",
                hubAlias: NamespaceNames.alias(of: owner),
                // On eth0: servers that look for an address to announce pass a loopback's by.
                keepsAddress: false, destinations: [.init(prefix: .everywhere), .init(prefix: .resolver)])
            try plug.ensure()
            if let virtual = AddressPlan.virtual(ofContainer: index) {
                try namespace.enter { try Table.service(own: AddressPlan.container(index), virtual: virtual).ensureHere() }
            }
        }
    }

    public func removeService(environment: ResourceID, index: Int) async throws {
        try await change { try removeServiceHere(environment: environment, index: index) }
    }

    /// Says which containers take the new connections of which services: their virtual addresses lead there, all others are refused. One
    /// transaction, and none when nothing differs. Connections that are open stay where they are.
    public func setServices(_ services: [RoutedService], of environment: ResourceID) async throws {
        try await change {
            try requireEnvironment(environment)
            let namespace = environmentNamespace(environment)
            let wanted = ServiceMaps.elements(services)
            let current = try namespace.enter { try Nftables.elementsHere(of: ServiceMaps.collections, in: Table.inNamespace) }
            let changes = wanted.changes(from: current, table: Table.inNamespace)
            if changes.isEmpty { return }
            try namespace.enter { try Nftables.applyHere(changes.joined(separator: "\n")) }
            // A tracked UDP exchange never ends by itself while its sender goes on; it would keep a way that is none any more.
            let (before, after) = (ServiceMaps.ends(current), ServiceMaps.ends(wanted))
            let left = before.filter { !$0.value.isSubset(of: after[$0.key, default: []]) }
            if !left.isEmpty {
                try Conntrack.delete(in: namespace) { entry in
                    entry.transport == UInt8(IPPROTO_UDP) && left[entry.destination] != nil
                        && !after[entry.destination, default: []].contains(entry.replySource)
                }
            }
        }
    }

    func requireEnvironment(_ id: ResourceID) throws {
        guard environmentNamespace(id).exists else { throw KilnError(.engineFailed, "The environment \(id) has no network yet.") }
    }

    func serviceIndexes(_ environment: ResourceID) throws -> [Int] {
        try owners().compactMap { if case .service(environment, let index) = $0 { index } else { nil } }
    }

    /// The workspaces that have a veth in the environment, half-made ones included.
    func connectedWorkspaces(_ environment: ResourceID) throws -> [ResourceID] {
        let namespace = environmentNamespace(environment)
        guard namespace.exists else { return [] }
        return try NetlinkSocket.route(in: namespace).links().compactMap { link in
            guard link.name.hasPrefix("w"), let id = try? ResourceID(String(link.name.dropFirst())), workspaceNamespace(id).exists else { return nil }
            return id
        }
    }

    private func removeServiceHere(environment: ResourceID, index: Int) throws {
        let owner = NamespaceNames.Owner.service(environment: environment, index: index)
        try takeOutIntercepts(in: environment) { $0.intercept.serviceIndex == index }
        try forget(owner, address: AddressPlan.container(index), in: environmentNamespace(environment))
        let namespace = names.namespace(of: owner)
        if namespace.exists { try deleteVeths(in: namespace) }
        try namespace.deleteHere()
    }

    func deleteVeths(in namespace: NetworkNamespace) throws {
        let socket = try NetlinkSocket.route(in: namespace)
        try socket.send(try socket.links().filter { $0.kind == "veth" }.map { .deleteLink(named: $0.name) })
    }
}
