import Glibc
import KilnModel
import Testing

@testable import LinuxNetwork

/// What becomes of connections and exchanges that are open when the traffic switches, in both directions.
@Suite struct InterceptExistingTests {
    private typealias Client = (socket: TestClient, address: IPv4Address)

    /// The other service, another workspace and the intercepting one: a place and the address it calls from.
    private func callers(_ shop: Shop, of address: IPv4Address) -> [(place: NetworkNamespace, address: IPv4Address)] {
        let index = address == shop.api ? 2 : 1
        return [(shop.service(index), AddressPlan.container(index)), (shop.workspace(1), shop.addresses[1]), (shop.workspace(0), shop.addresses[0])]
    }

    private func openAll(_ shop: Shop, _ address: IPv4Address, _ port: UInt16, _ transport: TransportProtocol = .tcp)
        async throws -> [Client]
    {
        var clients: [Client] = []
        for caller in callers(shop, of: address) {
            clients.append((try await TestClient.open(transport, in: caller.place, to: address, port: port).get(), caller.address))
        }
        return clients
    }

    private func expect(_ clients: [Client], reach word: String, _ comment: Comment) async throws {
        for (client, address) in clients {
            let outcome = try await client.ask()
            #expect(outcome == .reply("\(word) from \(address)"), comment)
        }
    }

    @Test func drainLetsEachSideFinishWhatItBegan() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let server = try await TestServer.tcp("dev", in: shop.workspace(0), at: .loopback, port: 3000)
            defer { withExtendedLifetime(server) {} }
            let early = try await openAll(shop, shop.api, 8080)
            try await expect(early, reach: "api", "before")
            try await shop.set([shop.intercept()])
            try await expect(early, reach: "api", "the original finishes its own")
            let late = try await openAll(shop, shop.api, 8080)
            try await expect(late, reach: "dev", "new ones")
            try await shop.set([])
            try await expect(late, reach: "dev", "the workspace finishes its own")
            try await expect(early, reach: "api", "still")
            try await expect(try await openAll(shop, shop.api, 8080), reach: "api", "new ones after the stop")
            // The moment of grace over, too: an open connection needs no rule.
            try await Task.sleep(for: .milliseconds(WorkspaceRules.grace * 1000 + 200))
            #expect(try await shop.elements().isEmpty)
            try await expect(late, reach: "dev", "after the rules are gone")
        }
    }

    @Test func cutResetsBothEndsInBothDirections() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let servers = [
                try await TestServer.tcp("dev", in: shop.workspace(0), port: 3000),
                // A connection to another port on the losing side, and one to the same number that no intercept brought.
                try await TestServer.tcp("beside", in: shop.workspace(0), port: 3001),
            ]
            defer { withExtendedLifetime(servers) {} }
            let bystanders = try await openAll(shop, shop.api, 9000)
            let local = try await TestClient.open(in: shop.workspace(0), to: .loopback, port: 3000).get()
            let early = try await openAll(shop, shop.api, 8080)
            try await expect(early, reach: "api", "before")
            #expect(try await connections(in: shop.service(1), port: 8080) == 3)

            try await shop.set([shop.intercept(cut: true)])
            for client in early { #expect(try await isCut(client.socket)) }
            #expect(try await connections(in: shop.service(1), port: 8080) == 0, "the original's end")
            let late = try await openAll(shop, shop.api, 8080)
            try await expect(late, reach: "dev", "new ones")
            // Nothing switches: nothing is cut.
            try await shop.set([shop.intercept(cut: true)])
            try await shop.review()
            try await expect(late, reach: "dev", "unchanged")

            try await shop.set([])
            for client in late { #expect(try await isCut(client.socket)) }
            #expect(try await connections(in: shop.workspace(0), port: 3000) == 1, "the workspace's end, but for what came by 127.0.0.1")
            #expect(try await local.ask() == .reply("dev from 127.0.0.1"))
            try await expect(bystanders, reach: "extra", "another port")
            try await expect(try await openAll(shop, shop.api, 8080), reach: "api", "new ones after the stop")
        }
    }

    /// The same port of the same service, called from the same port number: only where it lives tells one caller from the other.
    @Test func cutSparesWhoeverHappensToCallFromTheSamePort() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let server = try await TestServer.tcp("dev", in: shop.workspace(0), port: 3000)
            defer { withExtendedLifetime(server) {} }
            let drained = try await TestClient.open(in: shop.service(2), to: shop.api, port: 8080, sourcePort: 45_000).get()
            #expect(try await drained.ask() == .reply("api from \(AddressPlan.container(2))"))
            try await shop.set([shop.intercept()])
            let late = try await TestClient.open(in: shop.workspace(1), to: shop.api, port: 8080, sourcePort: 45_000).get()
            #expect(try await late.ask() == .reply("dev from \(shop.addresses[1])"))
            try await shop.set([shop.intercept(cut: true)])
            try await shop.set([])
            #expect(try await isCut(late))
            #expect(try await drained.ask() == .reply("api from \(AddressPlan.container(2))"), "the original finishes it")
        }
    }

    @Test func endingAConnectionThatIsGoneLeavesTheListener() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            let namespace = shop.service(1)
            let gone = ConnectionEnds(local: AddressPlan.container(1), localPort: 8080, remote: AddressPlan.container(2), remotePort: 45_000)
            try await DedicatedThread.run { try SocketDestroyer.destroy([gone], in: namespace) }
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("api from \(AddressPlan.container(2))"))
        }
    }

    @Test func aListenersEndCutsAsAStopDoes() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let intercept = try shop.intercept(cut: true)
            #expect(try await shop.set([intercept]) == [false])
            let early = try await TestClient.open(in: shop.service(2), to: shop.api, port: 8080).get()
            #expect(try await early.ask() == .reply("api from \(AddressPlan.container(2))"))
            let server = try await TestServer.tcp("dev", in: shop.workspace(0), port: 3000)
            #expect(try await shop.review() == [true])
            #expect(try await isCut(early))
            withExtendedLifetime(server) {}
        }
    }

    @Test(arguments: [IPv4Address.loopback, .unspecified]) func datagramsOfAnOpenSocketSwitchAtOnce(_ listener: IPv4Address) async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let server = try await TestServer.udp("dev", in: shop.workspace(0), at: listener, port: 3000)
            defer { withExtendedLifetime(server) {} }
            let clients = try await openAll(shop, shop.database, 7000, .udp)
            let intercept = try shop.intercept(ServicePort(7000, .udp), of: 2)
            for _ in 0..<3 {
                try await expect(clients, reach: "udp", "the original")
                try await shop.set([intercept])
                try await expect(clients, reach: "dev", "the workspace")
                try await shop.set([])
            }
            try await expect(clients, reach: "udp", "the original again")
        }
    }

    @Test func datagramsFollowAProgramThatListensElsewhere() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let clients = try await openAll(shop, shop.database, 7000, .udp)
            let intercept = try shop.intercept(ServicePort(7000, .udp), of: 2, fallback: false)
            #expect(try await shop.set([intercept]) == [true])
            for (word, listener) in [("first", IPv4Address.loopback), ("second", .unspecified), ("third", .loopback)] {
                let server = try await TestServer.udp(word, in: shop.workspace(0), at: listener, port: 3000)
                #expect(try await shop.review() == [true])
                try await expect(clients, reach: word, "after its start")
                withExtendedLifetime(server) {}
            }
        }
    }

    /// Whatever comes after the switch may be missed: nothing of it is needed.
    @Test func aCrashRightAfterTheSwitchLeavesNoDatagramOnTheOldWay() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let server = try await TestServer.udp("dev", in: shop.workspace(0), port: 3000)
            defer { withExtendedLifetime(server) {} }
            let clients = try await openAll(shop, shop.database, 7000, .udp)
            try await expect(clients, reach: "udp", "the original")
            var record = EnvironmentIntercepts()
            record.replace(with: [try shop.intercept(ServicePort(7000, .udp), of: 2)], of: shop.addresses[0])
            record.review(shop.addresses[0], listening: [ServicePort(3000, .udp)])
            // What `kill -9` right after the switch leaves.
            let rules = WorkspaceRules(record, of: shop.addresses[0], listening: ListenerTable(everywhere: [ServicePort(3000, .udp)]))
            try await apply(rules.elements, in: shop.workspace(0))
            try await apply(record.elements, in: shop.hub)
            try await expect(clients, reach: "dev", "the workspace")
            #expect(try await shop.review() == [true])
            try await expect(clients, reach: "dev", "still")
            // The same on the way back.
            try await remove(record.elements, in: shop.hub)
            try await remove(rules.elements, in: shop.workspace(0))
            try await expect(clients, reach: "udp", "the original again")
            #expect(try await shop.review() == [])
            try await expect(clients, reach: "udp", "still")
        }
    }

    /// To another target, stopped, to the first again, to another workspace's, all within the time that conntrack remembers.
    @Test func datagramsOfAnOpenSocketFollowEveryChange() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let servers = [
                try await TestServer.udp("first", in: shop.workspace(0), at: .loopback, port: 3000),
                try await TestServer.udp("second", in: shop.workspace(0), port: 4000),
                try await TestServer.udp("third", in: shop.workspace(1), port: 3000),
            ]
            defer { withExtendedLifetime(servers) {} }
            let clients = try await openAll(shop, shop.database, 7000, .udp)
            let steps: [(word: String, number: Int, target: UInt16?)] = [
                ("first", 0, 3000), ("second", 0, 4000), ("udp", 0, nil), ("first", 0, 3000), ("third", 1, 3000), ("second", 0, 4000),
                ("udp", 0, nil), ("third", 1, 3000), ("udp", 1, nil), ("second", 0, 4000),
            ]
            for (index, step) in steps.enumerated() {
                let intercepts = try step.target.map { [try shop.intercept(ServicePort(7000, .udp), of: 2, target: $0)] } ?? []
                try await shop.set(intercepts, by: step.number)
                try await expect(clients, reach: step.word, "step \(index)")
            }
        }
    }

    private func apply(_ elements: SetElements, in namespace: NetworkNamespace) async throws {
        let nothing = SetElements(Array(elements.values.keys))
        try await Nftables.apply(elements.additions(to: nothing, table: "kiln").joined(separator: "\n"), in: namespace)
    }

    private func remove(_ elements: SetElements, in namespace: NetworkNamespace) async throws {
        let nothing = SetElements(Array(elements.values.keys))
        try await Nftables.apply(nothing.removals(from: elements, table: "kiln").joined(separator: "\n"), in: namespace)
    }

    /// Ended by this machine's kernel, or by a reset that the other end's sent first.
    private func isCut(_ client: TestClient) async throws -> Bool {
        let outcome = try await client.ask()
        return outcome == .failed(ECONNABORTED) || outcome == .failed(ECONNRESET)
    }

    /// Established connections to a port of their own.
    private func connections(in namespace: NetworkNamespace, port: UInt16) async throws -> Int {
        try await DedicatedThread.run {
            try OpenSocket.list(in: namespace, OpenSocket.Query(transports: [.tcp], states: [.established], localPort: port)).count
        }
    }
}
