public import KilnModel
import Synchronization

/// The network of one Kiln instance: a router, and plugged into it workspaces and environments with their services.
///
/// Every verb is idempotent and starts from what the kernel shows: it repairs what is half-made and remembers nothing. Verbs run one at a
/// time, on threads of their own. All errors are `KilnError`.
///
/// ```
///  host ── PREFIX0 ═ up0 ── router ── wID ═ eth0 ── workspace ── env0 ═╗
///                             └────── eID ═ up0 ─── environment ── wID ╝
///                                                        └──────── sINDEX ═ eth0 ── service
/// ```
public struct InstanceNetwork: Sendable {
    public let instance: Instance
    /// The namespace that takes the host's part: the host's own, but for tests.
    let host: NetworkNamespace
    let names: NamespaceNames

    public init(instance: Instance) { self.init(instance: instance, host: .host) }

    init(instance: Instance, host: NetworkNamespace) {
        self.instance = instance
        self.host = host
        names = NamespaceNames(instance)
    }

    /// Where the instance's forwarder listens on the host; environments' resolvers ask it.
    public var forwarder: IPv4Address { AddressPlan.link(slot: instance.slot).host }

    /// Namespaces to give to Podman (`ns:PATH`) and to enter; they exist once ensured.
    public var routerNamespace: NetworkNamespace { names.namespace(of: .router) }
    public var buildNamespace: NetworkNamespace { names.namespace(of: .build) }
    public func workspaceNamespace(_ id: ResourceID) -> NetworkNamespace { names.namespace(of: .workspace(id)) }
    public func environmentNamespace(_ id: ResourceID) -> NetworkNamespace { names.namespace(of: .environment(id)) }
    public func serviceNamespace(environment: ResourceID, index: Int) -> NetworkNamespace {
        names.namespace(of: .service(environment: environment, index: index))
    }

    /// The kernel takes changes to links one at a time anyway; held on dedicated threads only.
    private static let turn = Mutex<Void>(())

    func change<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await DedicatedThread.run { try Self.turn.withLock { _ in try body() } }
    }
}
