public import KilnModel

/// What of an instance has a namespace.
public struct NetworkInventory: Sendable, Hashable {
    public var hasRouter = false
    public var hasBuild = false
    public var workspaces: Set<ResourceID> = []
    public var environments: Set<ResourceID> = []
    /// Indexes of services by environment, whether that one has a namespace or not.
    public var services: [ResourceID: Set<Int>] = [:]

    public init() {}
}

extension InstanceNetwork {
    /// What has a namespace, half-made ones included: ensure or remove each.
    public func inventory() async throws -> NetworkInventory {
        try await change {
            var inventory = NetworkInventory()
            for owner in try owners() {
                switch owner {
                case .router: inventory.hasRouter = true
                case .build: inventory.hasBuild = true
                case .workspace(let id): inventory.workspaces.insert(id)
                case .environment(let id): inventory.environments.insert(id)
                case .service(let environment, let index): inventory.services[environment, default: []].insert(index)
                }
            }
            return inventory
        }
    }

    /// Removes every namespace, link and rule of this instance, and nobody else's. The host's forwarding stays on: others may use it now.
    public func purge() async throws {
        try await change {
            for namespace in try owners().map(names.namespace(of:)) {
                if namespace.exists { try deleteVeths(in: namespace) }
                try namespace.deleteHere()
            }
            try NetlinkSocket.route(in: host).send([.deleteLink(named: instance.hostInterface)])
            try host.enter { try Nftables.applyHere(Table.removing(instance.prefix)) }
            let link = AddressPlan.link(slot: instance.slot)
            try Conntrack.delete(in: host) { $0.mentions(link.router) || $0.mentions(link.host) }
        }
    }

    func owners() throws -> [NamespaceNames.Owner] {
        try NetworkNamespace.list(prefix: "\(instance.prefix)-").compactMap { names.owner(of: $0.name) }
    }
}
