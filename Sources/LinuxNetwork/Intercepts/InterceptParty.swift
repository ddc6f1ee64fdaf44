import KilnModel

/// A connected workspace whose intercepts change, as its namespace shows it.
struct InterceptParty {
    let workspace: ResourceID
    let address: IPv4Address
    let namespace: NetworkNamespace
    let listening: ListenerTable
    private let present: SetElements

    /// On the calling `DedicatedThread`.
    init(_ workspace: ResourceID, _ address: IPv4Address, in namespace: NetworkNamespace) throws {
        self.workspace = workspace
        self.address = address
        self.namespace = namespace
        listening = try ListenerTable.read(in: namespace)
        present = try WorkspaceRules.readElements(in: namespace)
    }

    /// Before the switch: the workspace is ready for what may come.
    func prepare(for intercepts: EnvironmentIntercepts) throws { try apply(rules(intercepts).additions(to: present)) }

    /// After it: what cannot come any more has no rule.
    func trim(to intercepts: EnvironmentIntercepts) throws { try apply(rules(intercepts).removals(from: present)) }

    private func rules(_ intercepts: EnvironmentIntercepts) -> WorkspaceRules { WorkspaceRules(intercepts, of: address, listening: listening) }

    private func apply(_ commands: [String]) throws {
        if !commands.isEmpty { try namespace.enter { try Nftables.applyHere(commands.joined(separator: "\n")) } }
    }

    /// What may be tracked in its namespace of an intercepted port: its own calls, and with UDP what came by the environment, which a listener
    /// on another address would not answer.
    func flows(_ key: InterceptKey, _ lease: EnvironmentIntercepts.Lease?) -> [StaleFlows] {
        let own = [IPv4Prefix(.loopback, 32), IPv4Prefix(address, 32)]
        guard let lease, lease.holder == address else { return [StaleFlows(key, end: nil, interceptors: own)] }
        let end = (WorkspaceRules.end(of: lease.intercept, address, listening), lease.intercept.target)
        var flows = [StaleFlows(key, end: end, interceptors: own)]
        if key.port.transport == .udp {
            flows.append(StaleFlows(transport: .udp, address: address, port: lease.intercept.target, end: end, interceptors: own))
        }
        return flows
    }
}
