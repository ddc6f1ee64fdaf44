import KilnModel

/// One change of an environment's intercepts: from what its table says to what is wanted, in one transaction.
struct InterceptSwitch {
    let namespace: NetworkNamespace
    let before: EnvironmentIntercepts
    var wanted: EnvironmentIntercepts
    private let present: SetElements

    /// Reads what is there, on the calling `DedicatedThread`.
    init(in namespace: NetworkNamespace) throws {
        self.namespace = namespace
        present = try namespace.enter { try Nftables.elementsHere(of: EnvironmentIntercepts.collections, in: Table.inNamespace) }
        before = EnvironmentIntercepts(present)
        wanted = before
    }

    /// Those that another workspace holds now.
    var takenOver: Set<InterceptKey> {
        Set(before.leases.filter { key, lease in wanted.leases[key].map { $0.holder != lease.holder } ?? false }.keys)
    }

    var losers: Set<IPv4Address> { Set(takenOver.compactMap { before.leases[$0]?.holder }) }

    /// Those whose new connections go somewhere else from now on.
    var switched: Set<InterceptKey> {
        before.active.union(wanted.active).filter { key in
            func end(_ intercepts: EnvironmentIntercepts) -> EnvironmentIntercepts.Lease? {
                intercepts.active.contains(key) ? intercepts.leases[key] : nil
            }
            let (old, new) = (end(before), end(wanted))
            return old?.holder != new?.holder || old?.intercept.target != new?.intercept.target
        }
    }

    /// The transaction; none when nothing differs.
    func apply() throws {
        var commands = wanted.changes(from: present)
        commands += try forgetting(Set(before.leases.keys).subtracting(wanted.leases.keys).union(takenOver))
        if !commands.isEmpty { try namespace.enter { try Nftables.applyHere(commands.joined(separator: "\n")) } }
    }

    /// The commands that forget what was counted for these.
    private func forgetting(_ keys: Set<InterceptKey>) throws -> [String] {
        if keys.isEmpty { return [] }
        let (name, table) = (EnvironmentIntercepts.callers.name, Table.inNamespace)
        let marks = Set(keys.map { SetElements.mark($0.mark) })
        let callers = try namespace.enter { try Nftables.elementsHere(of: [EnvironmentIntercepts.callers], in: table) }
        let gone = callers.keys(of: name).filter { caller in marks.contains { caller.hasSuffix(" . \($0)") } }.sorted()
        var commands = gone.isEmpty ? [] : ["delete element ip \(table) \(name) { \(gone.joined(separator: ", ")) }"]
        // Whoever takes one over begins at nothing.
        let renewed = takenOver.map { SetElements.mark($0.mark) }.sorted().joined(separator: ", ")
        if !renewed.isEmpty {
            for set in [EnvironmentIntercepts.connections.name, EnvironmentIntercepts.traffic.name] {
                commands += ["delete element ip \(table) \(set) { \(renewed) }", "add element ip \(table) \(set) { \(renewed) }"]
            }
        }
        return commands
    }
}
