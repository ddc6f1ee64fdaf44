import Glibc
public import KilnModel

extension InstanceNetwork {
    /// Links a workspace to an environment. Connected to it already: nothing but a repair of what is missing; to another one: disconnected
    /// from that first.
    /// - Throws: `KilnError` when the workspace or the environment has no network.
    public func connect(workspace: ResourceID, address: IPv4Address, to environment: ResourceID) async throws {
        try await change {
            try requireEnvironment(environment)
            guard workspaceNamespace(workspace).exists else { throw KilnError(.engineFailed, "The workspace \(workspace) has no network yet.") }
            if try connectionHere(of: workspace) != environment {
                try disconnectHere(workspace, address: address)
                // Of a namespace that somebody deleted under this address.
                try takeOutIntercepts(in: environment) { $0.holder == address }
            }
            try plug(workspace, address: address, environment: environment).ensure()
        }
    }

    /// Takes the link away, and everything that would keep it alive in somebody's mind: tracked connections, and the sockets at both ends,
    /// whose blocked reads fail at once. Finishes what a crash interrupted. Not connected: nothing to do.
    public func disconnect(workspace: ResourceID, address: IPv4Address) async throws {
        try await change {
            if workspaceNamespace(workspace).exists { try disconnectHere(workspace, address: address) }
        }
    }

    /// The environment a workspace is linked to, as the kernel shows it.
    public func connection(of workspace: ResourceID) async throws -> ResourceID? {
        try await change { workspaceNamespace(workspace).exists ? try connectionHere(of: workspace) : nil }
    }

    /// What the loopback's alias says while a disconnect is under way. It outlives a crash, and goes with the namespace.
    private static let disconnecting = "disconnecting environment "

    private func plug(_ workspace: ResourceID, address: IPv4Address, environment: ResourceID) -> Plug {
        Plug(
            leaf: workspaceNamespace(workspace), leafInterface: Table.connection, hub: environmentNamespace(environment),
            hubInterface: NamespaceNames.interface(of: .workspace(workspace)), address: address, gateway: AddressPlan.environmentGateway,
            leafAlias: NamespaceNames.alias(of: .environment(environment)), hubAlias: NamespaceNames.alias(of: .workspace(workspace)), localnet: true,
            destinations: [.init(prefix: AddressPlan.services), .init(prefix: AddressPlan.callers), .init(prefix: .resolver)])
    }

    func connectionHere(of workspace: ResourceID) throws -> ResourceID? {
        try NetlinkSocket.route(in: workspaceNamespace(workspace)).link(named: Table.connection)?.alias.flatMap(Self.environment)
    }

    /// The id in an alias that `NamespaceNames.alias` wrote.
    private static func environment(_ alias: String) -> ResourceID? {
        let start = "environment "
        return alias.hasPrefix(start) ? try? ResourceID(String(alias.dropFirst(start.count))) : nil
    }

    func disconnectHere(_ workspace: ResourceID, address: IPv4Address) throws {
        let socket = try NetlinkSocket.route(in: workspaceNamespace(workspace))
        let loopback = try socket.existingLink(named: "lo")
        let veth = try socket.link(named: Table.connection)
        let mark = loopback.alias.flatMap { $0.hasPrefix("disconnecting ") ? String($0.dropFirst("disconnecting ".count)) : nil }
        guard veth != nil || mark != nil else { return }
        let environment = (veth?.alias ?? mark).flatMap(Self.environment)
        var intercepted: [Conntrack.Entry] = []
        if let environment {
            try socket.send([.setLink(loopback.index, alias: Self.disconnecting + environment.value)])
            try takeOutIntercepts(in: environment) { $0.holder == address }
            let hub = environmentNamespace(environment)
            if hub.exists { intercepted = try Conntrack.entries(in: hub, .answeredBy(address, .tcp)) }
        }
        // Down, its routes are gone and nothing passes any more. Deleting it takes the kernel tens of milliseconds: those who wait in a
        // read get their error before.
        if let veth { try socket.send([.setLink(veth.index, isUp: false)]) }
        try endSockets(workspace, address: address, environment: environment)
        if let environment { try endSockets(of: intercepted, in: environment) }
        try clearInterceptRules(of: workspace)
        try socket.send([.deleteLink(named: Table.connection)])
        if let environment, environmentNamespace(environment).exists {
            // Half-made, it may be there without its other end.
            let peer = NamespaceNames.interface(of: .workspace(workspace))
            try NetlinkSocket.route(in: environmentNamespace(environment)).send([.deleteLink(named: peer)])
        }
        try forgetConnections(workspace, address: address, environment: environment)
        try socket.send([.setLink(loopback.index, alias: "")])
    }

    /// Ends the sockets on both sides, first in the workspace, where somebody waits.
    private func endSockets(_ workspace: ResourceID, address: IPv4Address, environment: ResourceID?) throws {
        try SocketDestroyer.destroy(in: workspaceNamespace(workspace)) { AddressPlan.all.contains($0.remote) && $0.remote != address }
        guard let environment else { return }
        let services = try serviceIndexes(environment).map { serviceNamespace(environment: environment, index: $0) }
        // Whoever intercepts, or did and finishes what was begun, has the other ends of what this workspace calls.
        let others = try connectedWorkspaces(environment).filter { $0 != workspace }.map(workspaceNamespace)
        for namespace in [environmentNamespace(environment)] + services + others where namespace.exists {
            try SocketDestroyer.destroy(in: namespace) { $0.remote == address || $0.local == address }
        }
    }

    private func forgetConnections(_ workspace: ResourceID, address: IPv4Address, environment: ResourceID?) throws {
        try Conntrack.delete(in: workspaceNamespace(workspace)) { entry in
            [entry.source, entry.destination, entry.replySource, entry.replyDestination].contains { AddressPlan.all.contains($0) && $0 != address }
        }
        guard let environment, environmentNamespace(environment).exists else { return }
        try Conntrack.delete(in: environmentNamespace(environment)) { $0.mentions(address) }
    }
}
