import KilnModel
import Testing

@testable import LinuxNetwork

/// A service of several containers, called by its one address.
@Suite struct ReplicaTests {
    /// The api's further containers, with what they answer; the first one is the shop's.
    private struct Containers {
        let shop: Shop
        let indexes = [1, 2, 3].map { AddressPlan.containerIndex(1, replica: $0) }
        private var servers: [TestServer] = []

        init(_ shop: Shop) async throws {
            self.shop = shop
            for index in indexes.dropFirst() {
                try await shop.network.ensureService(environment: shop.environment, index: index)
                servers.append(try await .tcp("api\(index)", in: shop.service(index), port: 8080))
            }
            for index in indexes { servers.append(try await .udp("udp\(index)", in: shop.service(index), port: 7000)) }
            try await route(indexes)
        }

        func route(_ containers: [Int]) async throws {
            try await shop.network.setServices([RoutedService(index: 1, containers: containers), RoutedService(index: 2)], of: shop.environment)
        }
    }

    /// Who answers, and how often, when a place calls again and again.
    private func answers(_ place: NetworkNamespace, _ shop: Shop, count: Int = 90) async throws -> [String: Int] {
        var answers: [String: Int] = [:]
        for _ in 0..<count { answers[Self.word(try await TestClient.ask(in: place, shop.api, 8080)), default: 0] += 1 }
        return answers
    }

    private static func word(_ outcome: TestClient.Outcome) -> String {
        guard case .reply(let text) = outcome else { return "\(outcome)" }
        return text.split(separator: " ").first.map(String.init) ?? ""
    }

    @Test func newConnectionsAreSpreadOverAllThatTakeThem() async throws {
        try await World.with { world in
            let containers = try await Containers(try await Shop(world))
            let shop = containers.shop
            try await shop.connect(0)
            // A workspace, another service, and one of the containers, by its own name.
            for place in [shop.workspace(0), shop.service(2), shop.service(1025)] {
                let found = try await answers(place, shop)
                #expect(Set(found.keys) == ["api", "api1025", "api2049"], "\(found)")
                // By lot: to fall below ten of ninety has a chance of one in a million.
                #expect(found.values.allSatisfy { $0 >= 10 }, "\(found)")
            }
            // Each by its own address too, and to each who calls.
            #expect(try await TestClient.ask(in: shop.workspace(0), AddressPlan.container(2049), 8080) == .reply("api2049 from \(shop.addresses[0])"))
            try await containers.route([1025])
            #expect(try await answers(shop.workspace(0), shop, count: 10) == ["api1025": 10])
            try await containers.route([])
            #expect(try await answers(shop.workspace(0), shop, count: 3) == ["refused": 3])
        }
    }

    @Test func whoLeavesTheRotationFinishesWhatItHas() async throws {
        try await World.with { world in
            let containers = try await Containers(try await Shop(world))
            let shop = containers.shop
            try await shop.connect(0)
            var open: [String: TestClient] = [:]
            while open.count < 3 {
                let client = try await TestClient.open(in: shop.workspace(0), to: shop.api, port: 8080).get()
                open[Self.word(try await client.ask())] = client
            }
            let datagrams = try await TestClient.open(.udp, in: shop.workspace(0), to: shop.api, port: 7000).get()
            let first = Self.word(try await datagrams.ask())
            let left = try #require(containers.indexes.first { "udp\($0)" == first })
            #expect(Self.word(try await datagrams.ask()) == first, "an exchange stays where it is")

            let staying = containers.indexes.filter { $0 != left }
            try await containers.route(staying)
            let name = { (index: Int) in index == 1 ? "api" : "api\(index)" }
            #expect(Set(try await answers(shop.workspace(0), shop).keys) == Set(staying.map(name)))
            for (word, client) in open { #expect(Self.word(try await client.ask()) == word, "open connections stay") }
            // UDP knows no end of an exchange.
            #expect(staying.map { "udp\($0)" }.contains(Self.word(try await datagrams.ask())))
            // One that comes back takes nothing from the others.
            let settled = Self.word(try await datagrams.ask())
            try await containers.route(containers.indexes)
            #expect(Self.word(try await datagrams.ask()) == settled)
        }
    }

    @Test func anInterceptTakesTheTrafficOfAllAndGivesItBackToAll() async throws {
        try await World.with { world in
            let containers = try await Containers(try await Shop(world))
            let shop = containers.shop
            for number in [0, 1] { try await shop.connect(number) }
            let server = try await TestServer.tcp("dev", in: shop.workspace(0), at: .loopback, port: 3000)
            defer { withExtendedLifetime(server) {} }
            #expect(try await shop.set([shop.intercept()]) == [true])
            for place in [shop.workspace(1), shop.workspace(0), shop.service(2), shop.service(2049)] {
                #expect(try await answers(place, shop, count: 20) == ["dev": 20], "\(place)")
            }
            // The rotation changes under it.
            try await containers.route([1, 2049])
            #expect(try await answers(shop.workspace(1), shop, count: 20) == ["dev": 20])
            try await shop.verify(try shop.intercept())
            try await shop.set([])
            #expect(Set(try await answers(shop.workspace(1), shop).keys) == ["api", "api2049"])
        }
    }
}
