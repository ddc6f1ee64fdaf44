import KilnModel
import Testing

@testable import LinuxNetwork

/// Who reaches whom, and who does not: each refusal is shown to come from the rule that is there for it, by opening the path once.
@Suite struct ReachTests {
    @Test func anUnconnectedWorkspaceReachesTheInternetAndNamesAndNothingOfOurs() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await world.flushNeighbours()
            let workspace = shop.workspace(2)
            #expect(try await TestClient.ask(in: workspace, World.internetAddress, 80) == .reply("net from 203.0.113.1"))
            #expect(try await shop.resolver(of: 2) == .resolved([shop.forwarderAnswer]))
            #expect(try await TestClient.ask(in: workspace, shop.api, 8080) == .unreachable)
            #expect(try await TestClient.ask(in: workspace, AddressPlan.container(1), 8080) == .unreachable)
            #expect(try await TestClient.ask(in: workspace, shop.addresses[0], 22) == .unreachable)
            #expect(try await TestClient.ask(in: workspace, World.hostAddress, 80) == .refused)
            #expect(try await TestClient.ask(in: workspace, AddressPlan.resolver, 80) == .refused)
            #expect(try await TestClient.ask(in: workspace, shop.network.forwarder, 80) == .unreachable)
            #expect(try await TestClient.ask(in: workspace, AddressPlan.uplinkGateway, 22) == .refused)
            #expect(try await TestClient.ask(in: workspace, World.metadata, 80) == .refused)
            // The same servers do answer where they may be asked.
            #expect(try await TestClient.ask(in: shop.workspace(0), shop.addresses[0], 22) == .reply("ssh from \(shop.addresses[0])"))
            #expect(try await TestClient.ask(in: world.host, World.metadata, 80) == .reply("net from 203.0.113.1"))
            #expect(try await TestClient.ask(in: world.host, World.hostAddress, 80) == .reply("hostport from 203.0.113.1"))
        }
    }

    @Test func everyRefusalOfAnUnconnectedWorkspaceIsDueToItsRule() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            let workspace = shop.workspace(2)
            let prefix = shop.network.instance.prefix

            try await Nftables.apply("insert rule ip \(prefix) from_router accept", in: world.host)
            #expect(
                try await TestClient.ask(in: workspace, World.hostAddress, 80)
                    == .reply("hostport from \(AddressPlan.link(slot: shop.network.instance.slot).router)"))

            try await Nftables.apply("insert rule ip kiln input accept", in: shop.network.routerNamespace)
            #expect(try await TestClient.ask(in: workspace, AddressPlan.uplinkGateway, 22) == .reply("router from \(shop.addresses[2])"))

            #expect(try await TestClient.ask(in: workspace, World.metadata, 80) == .refused)
            try await Nftables.apply("insert rule ip kiln forward accept", in: shop.network.routerNamespace)
            #expect(try await TestClient.ask(in: workspace, World.metadata, 80) == .refused, "the host refuses it as well")
            try await Nftables.apply("insert rule ip \(prefix) forward accept", in: world.host)
            #expect(try await TestClient.ask(in: workspace, World.metadata, 80) == .reply("net from 203.0.113.1"))

            // Three things stand before a neighbour: no route in either workspace, the router's rule, the neighbour's own.
            for (from, to) in [(0, 2), (2, 0)] {
                let (address, detour) = (shop.addresses[from], IPv4Prefix(shop.addresses[to], 32))
                try await shop.workspace(from).perform {
                    let socket = try NetlinkSocket.route()
                    let link = try socket.existingLink(named: "eth0").index
                    try socket.send([.replaceRoute(.via(AddressPlan.uplinkGateway, link: link, to: detour, source: address))])
                }
            }
            #expect(try await TestClient.ask(in: workspace, shop.addresses[0], 22) == .refused, "the neighbour's own rule")
            try await Nftables.apply("insert rule ip kiln input accept", in: shop.workspace(0))
            #expect(try await TestClient.ask(in: workspace, shop.addresses[0], 22) == .reply("ssh from \(shop.addresses[2])"))
            try await shop.network.ensureRouter()
            #expect(try await TestClient.ask(in: workspace, shop.addresses[0], 22) == .refused, "the router's rule")
            #expect(try await TestClient.ask(in: workspace, World.metadata, 80) == .refused)
            #expect(try await TestClient.ask(in: workspace, World.hostAddress, 80) == .refused)
        }
    }

    @Test func aForgedSourceAddressGoesNowhere() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            let forged = IPv4Address(10, 9, 9, 9)
            let workspace = shop.workspace(2)
            try await workspace.perform {
                let socket = try NetlinkSocket.route()
                try socket.send([.replaceAddress(forged, link: try socket.existingLink(named: "lo").index)])
            }
            #expect(try await TestClient.ask(in: workspace, World.internetAddress, 80, source: forged) == .timedOut)
            try await shop.network.routerNamespace.perform {
                let socket = try NetlinkSocket.route()
                let link = try socket.existingLink(named: "w\(shop.workspaces[2])").index
                try socket.send([.replaceRoute(.via(link: link, to: IPv4Prefix(forged, 32), source: nil))])
            }
            #expect(try await TestClient.ask(in: workspace, World.internetAddress, 80, source: forged) == .reply("net from 203.0.113.1"))
        }
    }

    @Test func aConnectedWorkspaceReachesServicesByTheirVirtualAddressesUnderItsOwn() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            try await shop.connect(1)
            try await world.flushNeighbours()
            #expect(try await shop.resolver(of: 0) == .resolved([shop.api]))
            #expect(try await TestClient.ask(in: shop.workspace(1), shop.api, 8080) == .reply("api from \(shop.addresses[1])"))
            #expect(try await TestClient.ask(in: shop.workspace(1), shop.api, 9000) == .reply("extra from \(shop.addresses[1])"))
            #expect(try await TestClient.ask(in: shop.workspace(1), shop.database, 6379) == .reply("db from \(shop.addresses[1])"))
            #expect(try await TestClient.ask(.udp, in: shop.workspace(1), shop.database, 7000) == .reply("udp from \(shop.addresses[1])"))
            #expect(try await TestClient.ask(in: shop.workspace(1), World.internetAddress, 80) == .reply("net from 203.0.113.1"))
            #expect(try await Probe.connect(to: shop.api, port: 8080, in: shop.workspace(0), timeout: .seconds(1)) == .open)
            #expect(try await Probe.connect(to: shop.api, port: 8081, in: shop.workspace(0), timeout: .seconds(1)) == .refused)
            #expect(try await shop.resolver(of: 2) == .resolved([shop.forwarderAnswer]))
        }
    }

    @Test func servicesReachEachOtherThemselvesAndTheInternet() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            try await world.flushNeighbours()
            #expect(try await TestClient.ask(in: shop.service(1), shop.database, 6379) == .reply("db from \(AddressPlan.container(1))"))
            #expect(try await TestClient.ask(.udp, in: shop.service(1), shop.database, 7000) == .reply("udp from \(AddressPlan.container(1))"))
            #expect(try await TestClient.ask(in: shop.service(1), shop.api, 8080) == .reply("api from \(AddressPlan.environmentGateway)"))
            #expect(try await TestClient.ask(in: shop.service(2), World.internetAddress, 80) == .reply("net from 203.0.113.1"))
            #expect(try await Probe.resolve("db", in: shop.service(1), timeout: .seconds(2)) == .resolved([shop.api]))
            // The environment's resolver asks the forwarder, which a service cannot do by itself.
            let asked = try await Probe.resolve("kernel.org", in: shop.hub, resolver: shop.network.forwarder, timeout: .seconds(2))
            #expect(asked == .resolved([shop.forwarderAnswer]))
            #expect(
                try await Probe.resolve("kernel.org", in: shop.service(1), resolver: shop.network.forwarder, timeout: .seconds(1)) == .unreachable)
        }
    }

    @Test func anEnvironmentKeepsCallersFromWorkspacesTheHostAndTheRouter() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            try await shop.connect(1)
            try await world.flushNeighbours()
            #expect(try await TestClient.ask(in: shop.service(1), shop.addresses[0], 22) == .refused)
            #expect(try await TestClient.ask(in: shop.workspace(1), shop.addresses[0], 22) == .refused)
            #expect(try await TestClient.ask(in: shop.service(1), World.hostAddress, 80) == .refused)
            #expect(try await TestClient.ask(in: shop.service(1), World.metadata, 80) == .refused)
            #expect(try await TestClient.ask(in: shop.service(1), AddressPlan.environmentGateway, 80) == .refused)
            // The same paths, opened.
            try await Nftables.apply("insert rule ip kiln forward accept", in: shop.hub)
            #expect(try await TestClient.ask(in: shop.service(1), shop.addresses[0], 22) == .refused, "the workspace's own rule")
            try await Nftables.apply("insert rule ip kiln input accept", in: shop.workspace(0))
            #expect(try await TestClient.ask(in: shop.service(1), shop.addresses[0], 22) == .reply("ssh from \(AddressPlan.container(1))"))
            #expect(try await TestClient.ask(in: shop.workspace(1), shop.addresses[0], 22) == .reply("ssh from \(shop.addresses[1])"))
        }
    }

    @Test func aVirtualAddressWithoutARunningContainerIsRefusedAtOnceEveryTime() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            #expect(try await TestClient.ask(in: shop.workspace(0), shop.api, 8080) == .reply("api from \(shop.addresses[0])"))
            try await shop.network.setServices([shop.services[1]], of: shop.environment)
            let start = ContinuousClock.now
            for _ in 0..<20 {
                #expect(try await TestClient.ask(in: shop.workspace(0), shop.api, 8080) == .refused)
                #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .refused)
            }
            #expect(try await Probe.connect(to: AddressPlan.virtual(77), port: 1, in: shop.workspace(0), timeout: .seconds(5)) == .refused)
            // Refused by ICMP errors these would take a second each.
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(try await TestClient.ask(.udp, in: shop.workspace(0), shop.api, 8080) == .refused)
            try await shop.network.setServices(shop.services, of: shop.environment)
            #expect(try await TestClient.ask(in: shop.workspace(0), shop.api, 8080) == .reply("api from \(shop.addresses[0])"))
        }
    }

    @Test func anImageBuildSeesTheInternetAndNamesOnly() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.network.ensureBuild()
            try await shop.network.ensureBuild()
            let build = shop.network.buildNamespace
            #expect(try await TestClient.ask(in: build, World.internetAddress, 80) == .reply("net from 203.0.113.1"))
            #expect(try await Probe.resolve("kernel.org", in: build, timeout: .seconds(2)) == .resolved([shop.forwarderAnswer]))
            #expect(try await TestClient.ask(in: build, World.hostAddress, 80) == .refused)
            #expect(try await TestClient.ask(in: build, shop.api, 8080) == .unreachable)
        }
    }
}
