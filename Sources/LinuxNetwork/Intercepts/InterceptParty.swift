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

    /// Its own TCP connections to an intercepted port that lead back to itself. By its sockets: whoever walks through what is tracked passes
    /// by all that the machine tracks.
    func ownConnections(to key: InterceptKey) throws -> [Conntrack.Entry] {
        let query = OpenSocket.Query(transports: [.tcp], remotePort: key.port.number)
        return try OpenSocket.list(in: namespace, query).filter { $0.remote == key.address }.compactMap { socket in
            try Conntrack.entry(.tcp, from: socket.local, socket.localPort, to: key.address, key.port.number, in: namespace)
        }.filter { $0.replySource != key.address }
    }
}
