import Glibc
import KilnModel

extension InterceptSwitch {
    /// Ports whose traffic goes somewhere else from now on, and whose open connections are not to be finished.
    var cut: [InterceptKey] {
        let leases = before.leases.merging(wanted.leases) { $1 }
        return switched.filter { $0.port.transport == .tcp && leases[$0]?.intercept.cut == true }.sorted()
    }
}

extension InstanceNetwork {
    /// Ends what conntrack would keep on its old way after a switch: the connections to ports whose intercept says `cut`. UDP keeps to its zones.
    /// - Parameter parties: the workspaces whose intercepts changed.
    func cutConnections(_ switching: InterceptSwitch, environment: ResourceID, parties: [InterceptParty]) throws {
        let hub = environmentNamespace(environment)
        for key in switching.cut {
            let place = switching.wanted.active.contains(key) ? switching.wanted.leases[key]?.place : nil
            let stale = try Conntrack.entries(in: hub, .to(key.address, .tcp, key.port.number)).filter { entry in
                guard let place else { return AddressPlan.workspaces.contains(entry.replySource) }
                return entry.replySource != place.address || entry.replySourcePort != place.port
            }
            // Their sockets first, while the resets still find their way.
            try endSockets(of: stale, in: environment)
            try Conntrack.delete(stale, in: hub)
            for party in parties {
                let stale = try party.ownConnections(to: key).filter { place?.address != party.address || $0.replySourcePort != place?.port }
                let ends = stale.flatMap { [ConnectionEnds(calling: $0), ConnectionEnds(answering: $0)] }
                try SocketDestroyer.destroy(ends.compactMap(\.self), in: party.namespace)
                try Conntrack.delete(stale, in: party.namespace)
            }
        }
    }

    /// Ends the sockets at both ends of TCP connections that an environment tracks, and nobody else's: each is looked for where its address lives.
    func endSockets(of entries: [Conntrack.Entry], in environment: ResourceID) throws {
        if entries.isEmpty { return }
        let homes = try homes(in: environment)
        var condemned: [NetworkNamespace: [ConnectionEnds]] = [:]
        for entry in entries {
            guard let caller = ConnectionEnds(calling: entry), var answerer = ConnectionEnds(answering: entry) else { continue }
            if let home = homes[entry.source] {
                // A service that called itself by its own address sees that at the other end.
                condemned[home, default: []] += [caller, caller.toItself]
            }
            guard let home = homes[entry.replySource] else { continue }
            // A workspace's own rules lead on to 127.0.0.1.
            if AddressPlan.workspaces.contains(entry.replySource) { answerer.local = .loopback }
            condemned[home, default: []].append(answerer)
        }
        for (namespace, ends) in condemned { try SocketDestroyer.destroy(ends, in: namespace) }
    }

    /// The namespaces of an environment's services and connected workspaces, by address.
    private func homes(in environment: ResourceID) throws -> [IPv4Address: NetworkNamespace] {
        var homes: [IPv4Address: NetworkNamespace] = [:]
        for index in try serviceIndexes(environment) {
            let namespace = serviceNamespace(environment: environment, index: index)
            if namespace.exists { homes[AddressPlan.container(index)] = namespace }
        }
        for workspace in try connectedWorkspaces(environment) {
            if let address = try workspaceAddress(workspace) { homes[address] = workspaceNamespace(workspace) }
        }
        return homes
    }
}
