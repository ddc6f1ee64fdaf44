import Glibc
import KilnModel

/// Which tracked connections to a port still lead where new ones do not. Pure.
struct StaleFlows {
    let transport: TransportProtocol
    /// Where callers send.
    let address: IPv4Address
    let port: UInt16
    /// Where new ones go; nil: to none of `interceptors`.
    let end: (address: IPv4Address, port: UInt16)?
    let interceptors: [IPv4Prefix]

    /// Of a service's port: in an environment, where workspaces intercept, or in a workspace, whose own calls go to itself.
    init(_ key: InterceptKey, end: (address: IPv4Address, port: UInt16)?, interceptors: [IPv4Prefix]) {
        self.init(transport: key.port.transport, address: key.address, port: key.port.number, end: end, interceptors: interceptors)
    }

    init(transport: TransportProtocol, address: IPv4Address, port: UInt16, end: (address: IPv4Address, port: UInt16)?, interceptors: [IPv4Prefix]) {
        self.transport = transport
        self.address = address
        self.port = port
        self.end = end
        self.interceptors = interceptors
    }

    var filter: Conntrack.Filter { .to(address, transport, port) }

    func contains(_ entry: Conntrack.Entry) -> Bool {
        guard filter.passes(entry) else { return false }
        if let end { return entry.replySource != end.address || entry.replySourcePort != end.port }
        return interceptors.contains { $0.contains(entry.replySource) }
    }
}

extension InstanceNetwork {
    /// Ends what conntrack would keep on its old way after a switch: open UDP exchanges, which never drain, and the connections to ports whose
    /// intercept says `cut`. UDP is looked at whether it switched just now or before a crash.
    /// - Parameter parties: the workspaces whose intercepts changed.
    func endStaleFlows(_ switching: InterceptSwitch, environment: ResourceID, parties: [InterceptParty]) throws {
        let (after, switched) = (switching.wanted, switching.switched)
        let holders = Set(parties.map(\.address))
        let concerned = switching.before.leases.merging(after.leases) { $1 }.filter { key, lease in
            guard key.port.transport == .udp else { return lease.intercept.cut && switched.contains(key) }
            return switched.contains(key) || holders.contains(lease.holder)
        }
        for key in concerned.keys.sorted() {
            let lease = after.active.contains(key) ? after.leases[key] : nil
            let flows = StaleFlows(key, end: lease.map { ($0.holder, $0.intercept.target) }, interceptors: [AddressPlan.workspaces])
            try end(flows, in: environmentNamespace(environment), environment: environment)
            for party in parties {
                for flows in party.flows(key, lease) { try end(flows, in: party.namespace, environment: environment) }
            }
        }
    }

    /// Ends UDP exchanges that go on with a workspace though it does not intercept their port any more: a crash came between the stop and this.
    func endOrphanedExchanges(of workspace: ResourceID, _ address: IPv4Address, in environment: ResourceID, active: Set<InterceptKey>) throws {
        func isOrphaned(_ entry: Conntrack.Entry) -> Bool {
            guard AddressPlan.services.contains(entry.destination), let port = entry.destinationPort else { return false }
            return !active.contains { $0.address == entry.destination && $0.port == ServicePort(port, .udp) }
        }
        try Conntrack.delete(in: environmentNamespace(environment), .answeredBy(address, .udp), where: isOrphaned)
        for end in [IPv4Address.loopback, address] {
            try Conntrack.delete(in: workspaceNamespace(workspace), .answeredBy(end, .udp), where: isOrphaned)
        }
    }

    private func end(_ flows: StaleFlows, in namespace: NetworkNamespace, environment: ResourceID) throws {
        let entries = try Conntrack.entries(in: namespace, flows.filter).filter(flows.contains)
        if entries.isEmpty { return }
        // Their sockets first, while the resets still find their way.
        if flows.transport == .tcp { try endSockets(of: entries, in: environment) }
        try Conntrack.delete(entries, in: namespace)
    }

    /// Ends the sockets at both ends of these TCP connections, in whichever namespace of the environment they are.
    func endSockets(of entries: [Conntrack.Entry], in environment: ResourceID) throws {
        let ends = Set(
            entries.flatMap { entry -> [Ends] in
                guard let sourcePort = entry.sourcePort, let port = entry.destinationPort, let replyPort = entry.replySourcePort,
                    let replySourcePort = entry.replyDestinationPort
                else { return [] }
                return [
                    Ends(localPort: sourcePort, remote: entry.destination, remotePort: port),
                    Ends(localPort: replyPort, remote: entry.replyDestination, remotePort: replySourcePort),
                ]
            })
        if ends.isEmpty { return }
        let services = try serviceIndexes(environment).map { serviceNamespace(environment: environment, index: $0) }
        for namespace in try connectedWorkspaces(environment).map(workspaceNamespace) + services where namespace.exists {
            try SocketDestroyer.destroy(in: namespace, OpenSocket.Query(transports: [.tcp])) {
                ends.contains(Ends(localPort: $0.localPort, remote: $0.remote, remotePort: $0.remotePort))
            }
        }
    }

    /// What tells a socket from all others of an environment. (Not its own address: an intercept's is 127.0.0.1.)
    private struct Ends: Hashable {
        let localPort: UInt16
        let remote: IPv4Address
        let remotePort: UInt16
    }
}
