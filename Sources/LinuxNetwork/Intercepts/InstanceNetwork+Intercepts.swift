public import KilnModel

extension InstanceNetwork {
    /// Makes exactly these the intercepts of a workspace, which has to be connected to the environment; takes over what others hold of them.
    ///
    /// An intercept whose target nobody listens on waits, and the original answers, unless it has no fallback. The switch is one
    /// transaction in the environment's namespace; whatever else it takes lies before or after, in the order that no packet finds half of it.
    /// - Returns: what each is now, in the order of services and ports.
    /// - Throws: `KilnError` when the workspace is not connected there, or two intercepts name one port.
    public func setIntercepts(
        _ wanted: [WorkspaceIntercept], workspace: ResourceID, address: IPv4Address, environment: ResourceID
    ) async throws -> [InterceptState] {
        guard Set(wanted.map(\.key)).count == wanted.count else {
            throw KilnError(.intercepted, "One port of a service is intercepted twice by the workspace \(workspace).")
        }
        return try await change {
            guard workspaceNamespace(workspace).exists, try connectionHere(of: workspace) == environment else {
                throw KilnError(.notConnected, "The workspace \(workspace) is not connected to the environment \(environment).")
            }
            return try convergeHere(workspace, address, in: environment) { $0.replace(with: wanted, of: address) }
        }
    }

    /// Switches a workspace's intercepts by what listens there now, and repairs what a crash left half-made: the first thing after a start,
    /// and whenever a listener came or went. Takes nothing from others.
    /// - Returns: what each is now; none when the workspace is not connected.
    public func reviewIntercepts(workspace: ResourceID) async throws -> [InterceptState] {
        try await change {
            guard workspaceNamespace(workspace).exists, let address = try workspaceAddress(workspace) else { return [] }
            guard let environment = try connectionHere(of: workspace), environmentNamespace(environment).exists else {
                try clearInterceptRules(of: workspace)
                return []
            }
            return try convergeHere(workspace, address, in: environment) { _ in }
        }
    }

    /// Brings the environment's record to what `edit` makes of it, and both tables to the record.
    private func convergeHere(
        _ workspace: ResourceID, _ address: IPv4Address, in environment: ResourceID, _ edit: (inout EnvironmentIntercepts) -> Void
    ) throws -> [InterceptState] {
        let party = try InterceptParty(workspace, address, in: workspaceNamespace(workspace))
        var switching = try InterceptSwitch(in: environmentNamespace(environment))
        edit(&switching.wanted)
        switching.wanted.review(address, listening: party.listening.ports)
        let losers = try interceptParties(in: environment, of: switching.losers)
        try party.prepare(for: switching.wanted)
        try switching.apply()
        for party in [party] + losers { try party.trim(to: switching.wanted) }
        try cutConnections(switching, environment: environment, parties: [party] + losers)
        return switching.wanted.states(of: address, listening: party.listening.ports)
    }

    /// The connected workspaces with these addresses.
    func interceptParties(in environment: ResourceID, of holders: Set<IPv4Address>) throws -> [InterceptParty] {
        if holders.isEmpty { return [] }
        return try connectedWorkspaces(environment).compactMap { workspace in
            guard let address = try workspaceAddress(workspace), holders.contains(address) else { return nil }
            return try InterceptParty(workspace, address, in: workspaceNamespace(workspace))
        }
    }
}
