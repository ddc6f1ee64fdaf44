import KilnModel

extension InstanceNetwork {
    /// Takes intercepts out of an environment, the switch first: what goes away must not be sent to any more.
    func takeOutIntercepts(in environment: ResourceID, where isGone: (EnvironmentIntercepts.Lease) -> Bool) throws {
        let namespace = environmentNamespace(environment)
        guard namespace.exists else { return }
        var switching = try InterceptSwitch(in: namespace)
        let holders = Set(switching.before.leases.values.filter(isGone).map(\.holder))
        if holders.isEmpty { return }
        switching.wanted.remove(where: isGone)
        let parties = try interceptParties(in: environment, of: holders)
        try switching.apply()
        for party in parties { try party.trim(to: switching.wanted) }
        try cutConnections(switching, environment: environment, parties: parties)
    }

    /// Takes out the intercepts of workspaces that are not connected any more: somebody deleted the namespace of one, say.
    func takeOutOrphanedIntercepts(in environment: ResourceID) throws {
        let connected = Set(try connectedWorkspaces(environment).compactMap(workspaceAddress))
        try takeOutIntercepts(in: environment) { !connected.contains($0.holder) }
    }

    /// Leaves a workspace's table without an intercept.
    func clearInterceptRules(of workspace: ResourceID) throws {
        let namespace = workspaceNamespace(workspace)
        let present = try WorkspaceRules.readElements(in: namespace)
        if present.isEmpty { return }
        let commands = WorkspaceRules.collections.map { "flush \($0.keyword) ip \(Table.inNamespace) \($0.name)" }
        try namespace.enter { try Nftables.applyHere(commands.joined(separator: "\n")) }
    }
}
