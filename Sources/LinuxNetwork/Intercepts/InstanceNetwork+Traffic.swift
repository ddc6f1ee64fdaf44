public import KilnModel

extension InstanceNetwork {
    /// What has passed through a workspace's intercepts, its own calls included, which its own namespace counts.
    public func traffic(workspace: ResourceID, address: IPv4Address, environment: ResourceID) async throws -> [InterceptCount] {
        let (hub, own) = (environmentNamespace(environment), workspaceNamespace(workspace))
        return try await DedicatedThread.run {
            guard hub.exists, own.exists else { return [] }
            let collections = EnvironmentIntercepts.collections + [EnvironmentIntercepts.callers]
            let shared = try hub.enter { try Nftables.elementsHere(of: collections, in: Table.inNamespace, .counters) }
            let calls = try own.enter {
                try Nftables.elementsHere(of: [WorkspaceRules.connections, WorkspaceRules.traffic], in: Table.inNamespace, .counters)
            }
            return EnvironmentIntercepts(shared).leases(of: address).map { lease in
                InterceptCount(lease.intercept.key, holder: address, environment: shared, workspace: calls)
            }
        }
    }
}

extension InterceptCount {
    /// Pure.
    init(_ key: InterceptKey, holder: IPv4Address, environment: SetElements, workspace: SetElements) {
        let mark = SetElements.mark(key.mark)
        func counter(_ elements: SetElements, _ collection: Table.Collection, _ key: String) -> SetElements.Counter {
            elements.counters[collection.name]?[key] ?? SetElements.Counter()
        }
        let own = counter(workspace, WorkspaceRules.connections, mark).packets
        var callers: [IPv4Address: Int] = own > 0 ? [holder: own] : [:]
        for caller in environment.keys(of: EnvironmentIntercepts.callers.name) where caller.hasSuffix(" . \(mark)") {
            guard let address = caller.split(separator: " ").first.flatMap({ IPv4Address(String($0)) }) else { continue }
            callers[address, default: 0] += counter(environment, EnvironmentIntercepts.callers, caller).packets
        }
        self.init(
            serviceIndex: key.serviceIndex, port: key.port,
            // In a nat chain, which a connection passes once.
            connections: own + counter(environment, EnvironmentIntercepts.connections, mark).packets,
            bytes: counter(workspace, WorkspaceRules.traffic, mark).bytes + counter(environment, EnvironmentIntercepts.traffic, mark).bytes,
            callers: callers)
    }
}
