import Glibc
import KilnModel
import Testing

@testable import LinuxNetwork

/// Every verb twice, and every verb after somebody broke what it made.
@Suite struct RepairTests {
    @Test func everyVerbMayBeCalledTwice() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            try await shop.ensure()
            try await shop.connect(0)
            try await world.flushNeighbours()
            try await expectWorking(shop)
            try await shop.disconnect(0)
            try await shop.disconnect(0)
            for _ in 0..<2 {
                try await shop.network.removeService(environment: shop.environment, index: 2)
                try await shop.network.removeEnvironment(shop.environment)
                try await shop.network.removeWorkspace(shop.workspaces[0])
                try await shop.network.purge()
            }
        }
    }

    @Test func aSecondConnectLeavesTheVethAndItsConnectionsAlone() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let index = try await shop.workspace(0).perform { try NetlinkSocket.route().existingLink(named: "env0").index }
            let client = try await TestClient.open(in: shop.workspace(0), to: shop.api, port: 8080).get()
            try await shop.ensure()
            try await shop.connect(0)
            #expect(try await client.ask() == .reply("api from \(shop.addresses[0])"))
            #expect(try await shop.workspace(0).perform { try NetlinkSocket.route().existingLink(named: "env0").index } == index)
        }
    }

    /// Each of these breaks one thing; ensuring everything again mends it.
    enum Damage: String, CaseIterable, Sendable {
        case hostVeth, hostTable, routerTable, routerRule, routerDown, workspaceVeth, workspaceRoute, workspaceAddress, workspaceTable,
            environmentVeth,
            environmentTable, environmentMap, serviceVeth, serviceRoute, connectionVeth, connectionRoute, connectionGateway, connectionDown,
            routerPin,
            environmentResolver
    }

    @Test(arguments: Damage.allCases) func whatIsBrokenIsMended(_ damage: Damage) async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            try await expectWorking(shop)
            try await inflict(damage, on: shop)
            try await shop.ensure()
            try await shop.connect(0)
            try await world.flushNeighbours()
            // Its server's socket is gone with the veth's address or stays; names are answered by a new one where it is.
            try await expectWorking(shop)
        }
    }

    @Test func anEmptyFileInThePlaceOfAPinIsUsed() async throws {
        try await NetworkNamespace.temporary { namespace in
            try await namespace.delete()
            #expect(try NetworkNamespace.list(prefix: namespace.name).isEmpty)
            close(open(namespace.path, O_CREAT | O_WRONLY, 0o444))
            #expect(!namespace.exists)
            try await namespace.create(.container)
            #expect(namespace.exists)
            let inside = try await namespace.perform { try NetlinkSocket.route().links().contains { $0.name == "lo" && $0.isUp } }
            #expect(inside)
        }
    }

    @Test func theFirstPacketOverANewConnectionPasses() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for _ in 0..<40 {
                try await shop.connect(0)
                let start = ContinuousClock.now
                #expect(try await Probe.connect(to: shop.api, port: 8080, in: shop.workspace(0), timeout: .seconds(5)) == .open)
                // One that is lost is repeated after a second.
                #expect(ContinuousClock.now - start < .milliseconds(900))
                try await shop.disconnect(0)
            }
        }
    }

    @Test func aLinkRunsOnceItsOtherEndIsUp() async throws {
        try await NetworkNamespace.temporary { near in
            try await NetworkNamespace.temporary { far in
                let ready = try await DedicatedThread.run {
                    let (socket, peer) = (try NetlinkSocket.route(in: near), try NetlinkSocket.route(in: far))
                    let descriptor = try far.open()
                    try withExtendedLifetime(descriptor) { try socket.send([.createVeth("a", peer: "b", peerNamespace: descriptor.number)]) }
                    try socket.send([.setLink(try socket.existingLink(named: "a").index, isUp: true)])
                    let early = try socket.waitUntilRunning("a", in: near, patience: 50)
                    let index = try peer.existingLink(named: "b").index
                    Worker.start {
                        usleep(100_000)
                        do { try NetlinkSocket.route(in: far).send([.setLink(index, isUp: true)]) } catch { Issue.record(error) }
                    }
                    return (early, try socket.waitUntilRunning("a", in: near, patience: 10_000))
                }
                #expect(ready == (false, true))
            }
        }
    }

    @Test func connectingElsewhereLeavesTheFirstEnvironment() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            let other = ResourceID.random()
            try await shop.network.ensureEnvironment(other, uplink: AddressPlan.environment(2))
            try await shop.network.ensureService(environment: other, index: 1)
            try await shop.network.setServices([RoutedService(index: 1)], of: other)
            let server = try await TestServer.tcp("other", in: shop.network.serviceNamespace(environment: other, index: 1), port: 8080)
            defer { withExtendedLifetime(server) {} }
            try await shop.connect(0)
            let client = try await TestClient.open(in: shop.workspace(0), to: shop.api, port: 8080).get()
            #expect(try await client.ask() == .reply("api from \(shop.addresses[0])"))
            try await shop.network.connect(workspace: shop.workspaces[0], address: shop.addresses[0], to: other)
            #expect(try await client.ask() == .failed(ECONNABORTED))
            #expect(try await shop.network.connection(of: shop.workspaces[0]) == other)
            #expect(try await TestClient.ask(in: shop.workspace(0), shop.api, 8080) == .reply("other from \(shop.addresses[0])"))
            #expect(try await TestClient.ask(in: shop.service(1), shop.addresses[0], 22) == .refused)
        }
    }

    @Test func connectingWithoutNetworksSaysSo() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            await #expect(throws: KilnError.self) {
                try await shop.network.connect(workspace: .random(), address: AddressPlan.workspace(9), to: shop.environment)
            }
            await #expect(throws: KilnError.self) {
                try await shop.network.connect(workspace: shop.workspaces[0], address: shop.addresses[0], to: .random())
            }
            await #expect(throws: KilnError.self) { try await shop.network.ensureService(environment: .random(), index: 1) }
        }
    }

    private func expectWorking(_ shop: Shop) async throws {
        let address = shop.addresses[0]
        for (from, to, port, wanted) in [
            (shop.workspace(0), World.internetAddress, UInt16(80), TestClient.Outcome.reply("net from 203.0.113.1")),
            (shop.workspace(0), shop.api, 8080, .reply("api from \(address)")),
            (shop.workspace(0), shop.database, 6379, .reply("db from \(address)")),
            (shop.service(1), World.internetAddress, 80, .reply("net from 203.0.113.1")),
            (shop.workspace(0), World.hostAddress, 80, .refused),
            (shop.service(1), address, 22, .refused),
        ] {
            let outcome = try await TestClient.ask(in: from, to, port)
            #expect(outcome == wanted, "\(from) to \(to):\(port)")
        }
        #expect(try await shop.resolver(of: 0) == .resolved([shop.api]))
        #expect(try await shop.resolver(of: 2) == .resolved([shop.forwarderAnswer]))
        #expect(try await shop.network.connection(of: shop.workspaces[0]) == shop.environment)
    }

    private func inflict(_ damage: Damage, on shop: Shop) async throws {
        let network = shop.network
        let (workspace, hub, router, host) = (shop.workspace(0), shop.hub, network.routerNamespace, shop.world.host)
        switch damage {
        case .hostVeth: try await change(host) { _ in [.deleteLink(named: network.instance.hostInterface)] }
        case .hostTable: try await Nftables.apply("delete table ip \(network.instance.prefix)", in: host)
        case .routerTable: try await Nftables.apply("delete table ip kiln", in: router)
        case .routerRule: try await Nftables.apply("flush chain ip kiln forward", in: router)
        case .routerDown: try await change(router) { [.setLink(try $0.existingLink(named: "up0").index, isUp: false)] }
        case .workspaceVeth: try await change(workspace) { _ in [.deleteLink(named: "eth0")] }
        case .workspaceRoute:
            try await change(workspace) {
                [.deleteRoute(.via(AddressPlan.uplinkGateway, link: try $0.existingLink(named: "eth0").index, to: .everywhere, source: nil))]
            }
        case .workspaceAddress: try await change(workspace) { [.deleteAddress(shop.addresses[0], link: try $0.existingLink(named: "lo").index)] }
        case .workspaceTable: try await Nftables.apply("delete table ip kiln", in: workspace)
        case .environmentVeth: try await change(hub) { _ in [.deleteLink(named: "up0")] }
        case .environmentTable: try await Nftables.apply("delete table ip kiln", in: hub)
        case .environmentMap: try await Nftables.apply("flush map ip kiln addresses\nflush set ip kiln own", in: hub)
        case .serviceVeth: try await change(shop.service(1)) { _ in [.deleteLink(named: "eth0")] }
        case .serviceRoute:
            try await change(shop.service(1)) {
                [.deleteRoute(.via(AddressPlan.environmentGateway, link: try $0.existingLink(named: "eth0").index, to: .everywhere, source: nil))]
            }
        case .connectionVeth: try await change(hub) { _ in [.deleteLink(named: "w\(shop.workspaces[0])")] }
        case .connectionRoute:
            try await change(workspace) {
                [
                    .deleteRoute(
                        .via(AddressPlan.environmentGateway, link: try $0.existingLink(named: "env0").index, to: AddressPlan.services, source: nil))
                ]
            }
        case .connectionGateway:
            try await change(hub) {
                [.deleteAddress(AddressPlan.environmentGateway, link: try $0.existingLink(named: "w\(shop.workspaces[0])").index)]
            }
        case .connectionDown: try await change(workspace) { [.setLink(try $0.existingLink(named: "env0").index, isUp: false)] }
        case .routerPin: try await router.delete()
        case .environmentResolver:
            // The address comes back; the server that was bound to it never noticed.
            try await change(hub) { [.deleteAddress(AddressPlan.resolver, link: try $0.existingLink(named: "lo").index)] }
        }
    }

    private func change(_ namespace: NetworkNamespace, _ requests: @escaping @Sendable (NetlinkSocket) throws -> [NetlinkRequest]) async throws {
        try await namespace.perform {
            let socket = try NetlinkSocket.route()
            try socket.send(try requests(socket))
        }
    }
}
