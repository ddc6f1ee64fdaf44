import Glibc
import KilnModel

/// Which tracked connections to intercepted ports still lead where new ones do not. Pure.
struct StaleFlows {
    let key: InterceptKey
    /// Where new ones go: a workspace's address and port, or nil for the original.
    let end: (address: IPv4Address, port: UInt16)?
    /// Whose addresses mean that a flow was intercepted: all workspaces', or 127.0.0.1 for a workspace's own calls.
    let interceptors: IPv4Prefix

    var filter: Conntrack.Filter { .to(key.address, key.port.transport, key.port.number) }

    func contains(_ entry: Conntrack.Entry) -> Bool {
        guard filter.passes(entry) else { return false }
        if let end { return entry.replySource != end.address || entry.replySourcePort != end.port }
        return interceptors.contains(entry.replySource)
    }
}

extension InstanceNetwork {
    /// Ends what conntrack would keep on its old way after a switch: open UDP exchanges, which never drain, and the connections to ports whose
    /// intercept says `cut`. UDP is looked at whether it switched just now or before a crash.
    /// - Parameter workspaces: those whose intercepts changed, by address.
    func endStaleFlows(_ switching: InterceptSwitch, environment: ResourceID, workspaces: [IPv4Address: ResourceID]) throws {
        let (after, switched) = (switching.wanted, switching.switched)
        let concerned = switching.before.leases.merging(after.leases) { $1 }.filter { key, lease in
            guard key.port.transport == .udp else { return lease.intercept.cut && switched.contains(key) }
            return switched.contains(key) || workspaces[lease.holder] != nil
        }
        for key in concerned.keys.sorted() {
            let lease = after.active.contains(key) ? after.leases[key] : nil
            let flows = StaleFlows(key: key, end: lease.map { ($0.holder, $0.intercept.target) }, interceptors: AddressPlan.workspaces)
            try end(flows, in: environmentNamespace(environment), environment: environment)
            // A workspace's own calls are translated in its own namespace.
            for (address, workspace) in workspaces {
                let own = lease.flatMap { $0.holder == address ? (IPv4Address.loopback, $0.intercept.target) : nil }
                let flows = StaleFlows(key: key, end: own, interceptors: IPv4Prefix(.loopback, 32))
                try end(flows, in: workspaceNamespace(workspace), environment: environment)
            }
        }
    }

    private func end(_ flows: StaleFlows, in namespace: NetworkNamespace, environment: ResourceID) throws {
        let entries = try Conntrack.entries(in: namespace, flows.filter).filter(flows.contains)
        if entries.isEmpty { return }
        // Their sockets first, while the resets still find their way.
        if flows.key.port.transport == .tcp { try endSockets(of: entries, in: environment) }
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

extension IPv4Address {
    static let loopback = IPv4Address(127, 0, 0, 1)
}
