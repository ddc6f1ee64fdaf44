import KilnModel
import Testing

@testable import LinuxNetwork

@Suite struct HostConflictsTests {
    private let instance = try! Instance(name: Name("t-1"), slot: 9)

    private func addressCodes(_ routes: [(String, String)]) throws -> [String] {
        HostConflicts.addressFindings(
            instance, routes: try routes.map { .init(destination: try #require(IPv4Prefix($0.0)), interface: $0.1) }
        ).map(\.code)
    }

    @Test func overlappingRoutesAreFoundAndLinksOfInstancesAreNot() throws {
        #expect(try addressCodes([("0.0.0.0/0", "eth0"), ("0.0.0.0/1", "tun0"), ("128.0.0.0/1", "tun0"), ("10.0.0.0/8", "eth0")]) == [])
        #expect(try addressCodes([("198.18.0.0/15", "tun0")]) == ["address-range"])
        #expect(try addressCodes([("198.18.0.1/32", "tun0"), ("198.19.7.0/24", "eth1")]) == ["address-range", "address-range"])
        #expect(try addressCodes([("198.19.255.1/32", "kiln0"), ("198.19.255.2/32", "kiln0")]) == [])
        #expect(try addressCodes([("198.19.255.37/32", "kiln-t-10"), ("198.19.255.38/32", "kiln-t-10")]) == [])
        #expect(try addressCodes([("198.19.255.37/32", "kiln-other0"), ("198.19.255.38/32", "kiln-other0")]) == ["slot"])
    }

    private func codes(_ ruleset: String) -> [String] { FirewallFindings.all(instance, ruleset: ruleset).map(\.code) }

    private func filter(_ family: String = "ip", name: String = "filter", hook: String = "forward", policy: String = "drop", rules: String = "")
        -> String
    {
        "table \(family) \(name) {\n\tchain BASE {\n\t\ttype filter hook \(hook) priority filter; policy \(policy);\n\t\t\(rules)\n\t}\n}\n"
    }

    @Test func firewallsThatDropAreFoundWithTheCommandThatMendsThem() {
        #expect(codes(filter()) == ["forward-drop"])
        #expect(codes(filter(hook: "input")) == ["input-drop"])
        #expect(codes(filter(policy: "accept")) == [])
        #expect(codes(filter("ip6")) == [])
        #expect(codes(filter("inet", name: "firewalld", policy: "accept")) == ["firewalld"])
        #expect(codes(filter(rules: "iifname \"kiln-t-10\" accept")) == [], "somebody let us through")
        #expect(codes(filter(rules: "iifname \"kiln-t-100\" accept")) == ["forward-drop"], "somebody else")
        let mends = [filter(), filter(rules: "jump DOCKER-USER"), filter(rules: "jump ufw-before-forward")].map {
            FirewallFindings.all(instance, ruleset: $0).first?.mend ?? ""
        }
        #expect(mends[0].contains("nft insert rule ip filter BASE iifname kiln-t-10 accept"))
        #expect(mends[1].contains("iptables -I DOCKER-USER -i kiln-t-10 -j ACCEPT"))
        #expect(mends[2].contains("ufw route allow in on kiln-t-10"))
        #expect(FirewallFindings.legacy(instance, tables: ["nat", "filter"]).map(\.code) == ["legacy-iptables"])
        #expect(FirewallFindings.legacy(instance, tables: []).isEmpty)
    }

    @Test func ourOwnHostTablesAreNoConflict() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            let neighbour = try world.neighbour()
            try await neighbour.ensureRouter()
            #expect(try await HostConflicts.check(shop.network.instance, host: world.host) == [])
            #expect(try await HostConflicts.check(neighbour.instance, host: world.host) == [])
            try await neighbour.purge()
        }
    }

    @Test func aRealDropCutsWorkspacesOffAndItsMendLetsThemThrough() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            let workspace = shop.workspace(0)
            try await Nftables.apply(
                "add table ip filter\nadd chain ip filter FORWARD { type filter hook forward priority filter; policy drop; }", in: world.host)
            #expect(try await TestClient.ask(in: workspace, World.internetAddress, 80) == .timedOut)
            let finding = try #require(try await HostConflicts.check(shop.network.instance, host: world.host).first)
            #expect(finding.code == "forward-drop")
            for command in finding.mend.dropFirst("Run: nft ".count).split(separator: " && nft ") {
                try await Nftables.apply(String(command), in: world.host)
            }
            #expect(try await TestClient.ask(in: workspace, World.internetAddress, 80) == .reply("net from 203.0.113.1"))
            #expect(try await HostConflicts.check(shop.network.instance, host: world.host) == [])
        }
    }
}
