import KilnModel

@testable import LinuxNetwork

/// The usual cast: three workspaces, one environment with two services, and servers wherever somebody might knock.
///
/// Service 1 ("api") listens on 8080 and 9000; service 2 ("db") on 6379 and UDP 7000. The forwarder answers every name
/// with 192.0.2.1, the environment's resolver with the api's virtual address.
struct Shop {
    let world: World
    let environment = ResourceID.random()
    let workspaces = [ResourceID.random(), ResourceID.random(), ResourceID.random()]
    let addresses = [1, 2, 3].map { AddressPlan.workspace($0) }
    let uplink = AddressPlan.environment(1)
    let api = AddressPlan.virtual(1)
    let database = AddressPlan.virtual(2)
    let forwarderAnswer = IPv4Address(192, 0, 2, 1)
    let services = [RoutedService(index: 1), RoutedService(index: 2)]
    private(set) var servers: [TestServer] = []

    var network: InstanceNetwork { world.network }

    init(_ world: World) async throws {
        self.world = world
        try await ensure()
        servers = [
            try await .tcp("net", in: world.internet, port: 80),
            try await .tcp("hostport", in: world.host, port: 80),
            try await .dns(forwarderAnswer, in: world.host, at: network.forwarder),
            try await .dns(api, in: network.environmentNamespace(environment), at: AddressPlan.resolver),
            try await .tcp("api", in: service(1), port: 8080),
            try await .tcp("extra", in: service(1), port: 9000),
            try await .tcp("db", in: service(2), port: 6379, dualStack: true),
            try await .udp("udp", in: service(2), port: 7000),
            try await .tcp("ssh", in: workspace(0), port: 22),
            try await .tcp("router", in: network.routerNamespace, port: 22),
        ]
    }

    /// Everything but connections.
    func ensure() async throws {
        try await network.ensureRouter()
        for (id, address) in zip(workspaces, addresses) { try await network.ensureWorkspace(id, address: address) }
        try await network.ensureEnvironment(environment, uplink: uplink)
        for index in [1, 2] { try await network.ensureService(environment: environment, index: index) }
        try await network.setServices(services, of: environment)
    }

    func connect(_ number: Int) async throws {
        try await network.connect(workspace: workspaces[number], address: addresses[number], to: environment)
    }

    func disconnect(_ number: Int) async throws {
        try await network.disconnect(workspace: workspaces[number], address: addresses[number])
    }

    func workspace(_ number: Int) -> NetworkNamespace { network.workspaceNamespace(workspaces[number]) }
    func service(_ index: Int) -> NetworkNamespace { network.serviceNamespace(environment: environment, index: index) }
    var hub: NetworkNamespace { network.environmentNamespace(environment) }

    /// Who answers names in a workspace.
    func resolver(of number: Int) async throws -> Probe.NameResult {
        try await Probe.resolve("api", in: workspace(number), timeout: .seconds(2))
    }

    /// An intercept of the api's port 8080, unless said otherwise.
    func intercept(
        _ port: ServicePort = ServicePort(8080), of service: Int = 1, target: UInt16 = 3000, cut: Bool = false, fallback: Bool = true
    ) throws -> WorkspaceIntercept {
        try WorkspaceIntercept(serviceIndex: service, port: port, target: target, cut: cut, fallback: fallback)
    }

    /// - Returns: whether each is on.
    @discardableResult
    func set(_ intercepts: [WorkspaceIntercept], by number: Int = 0) async throws -> [Bool] {
        try await network.setIntercepts(intercepts, workspace: workspaces[number], address: addresses[number], environment: environment).map(\.isOn)
    }

    @discardableResult
    func review(_ number: Int = 0) async throws -> [Bool] {
        // A value of its own: nothing is remembered.
        let network = InstanceNetwork(instance: network.instance, host: world.host)
        return try await network.reviewIntercepts(workspace: workspaces[number]).map(\.isOn)
    }

    func counts(_ number: Int = 0) async throws -> [InterceptCount] {
        try await network.traffic(workspace: workspaces[number], address: addresses[number], environment: environment)
    }

    func verify(_ intercept: WorkspaceIntercept, by number: Int = 0) async throws {
        try await network.verifyIntercept(
            intercept, workspace: workspaces[number], address: addresses[number], environment: environment)
    }

    /// All elements that intercepts have anywhere, those that go by themselves included.
    func elements() async throws -> [String] {
        var found: [String] = []
        for (namespace, collections) in [(hub, EnvironmentIntercepts.collections + [EnvironmentIntercepts.callers])]
            + [0, 1, 2].map({ (workspace($0), WorkspaceRules.collections) }) where namespace.exists
        {
            let elements = try await namespace.perform { try Nftables.elementsHere(of: collections, in: Table.inNamespace) }
            for collection in collections {
                found += elements.keys(of: collection.name).map { "\(collection.name) \($0)" }
                found += (elements.leaving[collection.name] ?? [:]).keys.map { "leaving \(collection.name) \($0)" }
            }
        }
        return found.sorted()
    }
}
