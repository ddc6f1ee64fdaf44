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
        try switching.apply()
        let workspaces = try workspaces(in: environment, of: holders)
        for (holder, workspace) in workspaces { try trimRules(of: workspace, holder, to: switching.wanted) }
        try endStaleFlows(switching, environment: environment, workspaces: workspaces)
    }

    /// Takes out the intercepts of workspaces that are not connected any more: somebody deleted the namespace of one, say.
    func takeOutOrphanedIntercepts(in environment: ResourceID) throws {
        let connected = Set(try connectedWorkspaces(environment).compactMap(workspaceAddress))
        try takeOutIntercepts(in: environment) { !connected.contains($0.holder) }
    }

    /// Connected workspaces by address.
    func workspaces(in environment: ResourceID, of holders: Set<IPv4Address>) throws -> [IPv4Address: ResourceID] {
        if holders.isEmpty { return [:] }
        var found: [IPv4Address: ResourceID] = [:]
        for workspace in try connectedWorkspaces(environment) {
            if let address = try workspaceAddress(workspace), holders.contains(address) { found[address] = workspace }
        }
        return found
    }

    /// Takes what the record no longer has out of a workspace's rules.
    func trimRules(of workspace: ResourceID, _ holder: IPv4Address, to intercepts: EnvironmentIntercepts) throws {
        let namespace = workspaceNamespace(workspace)
        let present = try namespace.enter { try Nftables.elementsHere(of: WorkspaceRules.collections, in: Table.inNamespace) }
        let rules = WorkspaceRules.elements(intercepts, of: holder)
        try apply(WorkspaceRules.removals(rules, from: present, of: holder), in: namespace)
    }

    func apply(_ commands: [String], in namespace: NetworkNamespace) throws {
        if !commands.isEmpty { try namespace.enter { try Nftables.applyHere(commands.joined(separator: "\n")) } }
    }

    /// Leaves a workspace's table without an intercept.
    func clearRules(of workspace: ResourceID) throws {
        let namespace = workspaceNamespace(workspace)
        let names = WorkspaceRules.collections.map(\.name)
        let present = try namespace.enter { try Nftables.elementsHere(of: WorkspaceRules.collections, in: Table.inNamespace) }
        if present == SetElements(names), present.leaving.isEmpty { return }
        try apply(WorkspaceRules.collections.map { "flush \($0.keyword) ip \(Table.inNamespace) \($0.name)" }, in: namespace)
    }
}
