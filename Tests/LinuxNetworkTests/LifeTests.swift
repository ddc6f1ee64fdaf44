import Glibc
import KilnModel
import Testing

@testable import LinuxNetwork

@Suite struct LifeTests {
    @Test func theInventoryNamesWhatIsThere() async throws {
        try await World.with { world in
            #expect(try await world.network.inventory() == NetworkInventory())
            let shop = try await Shop(world)
            try await shop.network.ensureBuild()
            var wanted = NetworkInventory()
            wanted.hasRouter = true
            wanted.hasBuild = true
            wanted.workspaces = Set(shop.workspaces)
            wanted.environments = [shop.environment]
            wanted.services = [shop.environment: [1, 2]]
            #expect(try await shop.network.inventory() == wanted)
        }
    }

    @Test func aRemovedWorkspaceLeavesNoTrace() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            #expect(try await TestClient.ask(in: shop.workspace(0), World.internetAddress, 80) == .reply("net from 203.0.113.1"))
            #expect(try await TestClient.ask(in: shop.workspace(0), shop.api, 8080) == .reply("api from \(shop.addresses[0])"))
            #expect(try await Conntrack.list(in: shop.network.routerNamespace).contains { $0.mentions(shop.addresses[0]) })
            try await shop.network.removeWorkspace(shop.workspaces[0])
            for namespace in [shop.network.routerNamespace, shop.hub] {
                #expect(try await links(in: namespace).allSatisfy { $0 != "w\(shop.workspaces[0])" })
                #expect(try await Conntrack.list(in: namespace).allSatisfy { !$0.mentions(shop.addresses[0]) })
                let routes = try await namespace.perform { try NetlinkSocket.route().routes() }
                #expect(!routes.contains { $0.destination == IPv4Prefix(shop.addresses[0], 32) })
            }
            #expect(try await shop.network.inventory().workspaces == Set(shop.workspaces.dropFirst()))
            #expect(try await TestClient.ask(in: shop.workspace(1), World.internetAddress, 80) == .reply("net from 203.0.113.1"))
        }
    }

    @Test func aRemovedEnvironmentLetsItsWorkspacesGo() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let client = try await TestClient.open(in: shop.workspace(0), to: shop.api, port: 8080).get()
            #expect(try await client.ask() == .reply("api from \(shop.addresses[0])"))
            try await shop.network.removeEnvironment(shop.environment)
            #expect(try await client.ask() == .failed(ECONNABORTED))
            #expect(try await shop.network.connection(of: shop.workspaces[0]) == nil)
            #expect(try await shop.resolver(of: 0) == .resolved([shop.forwarderAnswer]))
            #expect(try await links(in: shop.network.routerNamespace).allSatisfy { !$0.hasPrefix("e") })
            let inventory = try await shop.network.inventory()
            #expect(inventory.environments.isEmpty && inventory.services.isEmpty)
        }
    }

    @Test func purgingOneInstanceLeavesTheOtherWhole() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let neighbour = try world.neighbour()
            let workspace = ResourceID.random()
            try await neighbour.ensureRouter()
            try await neighbour.ensureWorkspace(workspace, address: AddressPlan.workspace(1))
            let inside = neighbour.workspaceNamespace(workspace)
            #expect(try await TestClient.ask(in: inside, World.internetAddress, 80) == .reply("net from 203.0.113.1"))
            #expect(try await TestClient.ask(in: inside, shop.network.forwarder, 53) == .unreachable)

            let before = try await neighbour.inventory()
            try await shop.network.purge()
            #expect(try await shop.network.inventory() == NetworkInventory())
            let prefix = shop.network.instance.prefix
            #expect(try NetworkNamespace.list(prefix: prefix).isEmpty)
            #expect(try await links(in: world.host).allSatisfy { !$0.hasPrefix(prefix) })
            #expect(!(try await Nftables.list("list tables", in: world.host)).contains(prefix))
            #expect(try await neighbour.inventory() == before)
            try await world.flushNeighbours()
            #expect(try await TestClient.ask(in: inside, World.internetAddress, 80) == .reply("net from 203.0.113.1"))
            try await neighbour.purge()
            #expect(try await links(in: world.host) == ["ext0", "lo"])
            #expect((try await Nftables.list("list ruleset", in: world.host)).isEmpty)
        }
    }

    @Test func theRealHostGetsOneVethAndOneTableAndLosesThemAgain() async throws {
        let instance = try Instance(name: Name("t\(World.hexadecimal())"), slot: try await freeSlot())
        let network = InstanceNetwork(instance: instance)
        let before = try await links(in: .host)
        do {
            try await network.ensureRouter()
            let workspace = ResourceID.random()
            try await network.ensureWorkspace(workspace, address: AddressPlan.workspace(1))
            let added = Set(try await links(in: .host)).subtracting(before)
            #expect(added.contains(instance.hostInterface))
            #expect(added.filter { $0.hasPrefix("w") || $0.hasPrefix("e") || $0 == "up0" }.isEmpty)
            let addresses = try await NetworkNamespace.host.perform { try NetlinkSocket.route().addresses().map(\.address) }
            #expect(!addresses.contains { IPv4Prefix(.init(169, 254, 1, 0), 24).contains($0) })
            let server = try await TestServer.dns(IPv4Address(192, 0, 2, 9), in: .host, at: network.forwarder)
            let answer = try await Probe.resolve("kernel.org", in: network.workspaceNamespace(workspace), timeout: .seconds(2))
            #expect(answer == .resolved([IPv4Address(192, 0, 2, 9)]))
            withExtendedLifetime(server) {}
        } catch {
            try await network.purge()
            throw error
        }
        try await network.purge()
        #expect(!(try await links(in: .host)).contains(instance.hostInterface))
        #expect(!(try await Nftables.list("list tables", in: .host)).contains(instance.prefix))
    }

    /// One that no instance on this machine uses now.
    private func freeSlot() async throws -> Int {
        let taken = Set(try await NetworkNamespace.host.perform { try NetlinkSocket.route().routes().map(\.destination.address) })
        return try #require((8...31).shuffled().first { !taken.contains(AddressPlan.link(slot: $0).host) })
    }

    private func links(in namespace: NetworkNamespace) async throws -> [String] {
        try await namespace.perform { try NetlinkSocket.route().links().map(\.name).sorted() }
    }
}
