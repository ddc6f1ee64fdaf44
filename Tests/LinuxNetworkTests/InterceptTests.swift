import Glibc
import KilnModel
import Testing

@testable import LinuxNetwork

/// What an intercept does, for everyone who calls.
@Suite struct InterceptTests {
    enum Listener: CaseIterable, Sendable {
        case loopback, everywhere, dualStack

        func start(_ word: String = "dev", in namespace: NetworkNamespace, port: UInt16 = 3000) async throws -> TestServer {
            switch self {
            case .loopback: try await .tcp(word, in: namespace, at: .loopback, port: port)
            case .everywhere: try await .tcp(word, in: namespace, port: port)
            case .dualStack: try await .tcp(word, in: namespace, port: port, dualStack: true)
            }
        }
    }

    @Test(arguments: Listener.allCases) func everyCallerReachesTheWorkspaceUnderItsOwnAddress(_ listener: Listener) async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            try await shop.connect(1)
            let server = try await listener.start(in: shop.workspace(0))
            defer { withExtendedLifetime(server) {} }
            try await world.flushNeighbours()
            #expect(try await shop.set([shop.intercept()]) == [true])
            // Another service, the service itself by its own name, another workspace, the intercepting one.
            for (caller, address) in [
                (shop.service(2), AddressPlan.container(2)), (shop.service(1), AddressPlan.container(1)),
                (shop.workspace(1), shop.addresses[1]), (shop.workspace(0), shop.addresses[0]),
            ] {
                #expect(try await TestClient.ask(in: caller, shop.api, 8080) == .reply("dev from \(address)"), "\(caller)")
            }
            // The other port stays with the original, for all.
            for (caller, address) in [(shop.service(2), AddressPlan.container(2)), (shop.workspace(0), shop.addresses[0])] {
                #expect(try await TestClient.ask(in: caller, shop.api, 9000) == .reply("extra from \(address)"))
            }
            #expect(try await TestClient.ask(in: shop.service(1), shop.api, 9000) == .reply("extra from \(AddressPlan.environmentGateway)"))

            try await shop.set([])
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("api from \(AddressPlan.container(2))"))
            #expect(try await TestClient.ask(in: shop.service(1), shop.api, 8080) == .reply("api from \(AddressPlan.environmentGateway)"))
            #expect(try await TestClient.ask(in: shop.workspace(1), shop.api, 8080) == .reply("api from \(shop.addresses[1])"))
            #expect(try await TestClient.ask(in: shop.workspace(0), shop.api, 8080) == .reply("api from \(shop.addresses[0])"))
        }
    }

    /// The kernel would reopen what it tracks of the one before, translation and all (`tcp_conntracks` in nf_conntrack_proto_tcp.c).
    @Test func aConnectionFromThePortOfOneThatWasResetReachesTheSideThatAnswersNow() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let server = try await TestServer.tcp("dev", in: shop.workspace(0), at: .loopback, port: 3000)
            defer { withExtendedLifetime(server) {} }
            func knock(thenResetIn answerer: NetworkNamespace) async throws -> TestClient.Outcome {
                let client = try await TestClient.open(in: shop.service(2), to: shop.api, port: 8080, sourcePort: 40_001).get()
                let reply = try await client.ask()
                #expect(try await DedicatedThread.run { try SocketDestroyer.destroy(in: answerer) { $0.remotePort == 40_001 } } == 1)
                #expect(client.receive() == .failed(ECONNRESET))
                return reply
            }
            let caller = AddressPlan.container(2)
            #expect(try await knock(thenResetIn: shop.service(1)) == .reply("api from \(caller)"))
            #expect(try await shop.set([shop.intercept()]) == [true])
            #expect(try await knock(thenResetIn: shop.workspace(0)) == .reply("dev from \(caller)"))
            try await shop.set([])
            #expect(try await knock(thenResetIn: shop.service(1)) == .reply("api from \(caller)"))
        }
    }

    /// As its hostname leads it: by its own address, which is still its own to listen on.
    @Test func aServiceThatCallsItsOwnAddressReachesWhoInterceptsIt() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let (own, other) = (AddressPlan.container(1), AddressPlan.container(2))
            let servers = [
                try await TestServer.tcp("dev", in: shop.workspace(0), at: .loopback, port: 3000),
                try await TestServer.udp("dev", in: shop.workspace(0), at: .loopback, port: 3000),
                // One that listens on its hostname, as brokers do.
                try await TestServer.tcp("named", in: shop.service(1), at: own, port: 9092),
                try await TestServer.udp("api", in: shop.service(1), port: 7000),
            ]
            defer { withExtendedLifetime(servers) {} }
            let masked = AddressPlan.environmentGateway
            for (port, word) in [(UInt16(8080), "api"), (9092, "named")] {
                #expect(try await TestClient.ask(in: shop.service(1), own, port) == .reply("\(word) from \(masked)"))
                #expect(try await TestClient.ask(in: shop.service(2), shop.api, port) == .reply("\(word) from \(other)"))
            }
            let open = try await TestClient.open(in: shop.service(1), to: own, port: 8080).get()
            #expect(try await open.ask() == .reply("api from \(masked)"))
            let datagrams = try await TestClient.open(.udp, in: shop.service(1), to: own, port: 7000).get()
            #expect(try await datagrams.ask() == .reply("api from \(masked)"))

            try await shop.set([shop.intercept(), shop.intercept(ServicePort(7000, .udp)), shop.intercept(ServicePort(9000), cut: true)])
            #expect(try await TestClient.ask(in: shop.service(1), own, 8080) == .reply("dev from \(own)"))
            #expect(try await datagrams.ask() == .reply("dev from \(own)"), "from one datagram to the next")
            #expect(try await open.ask() == .reply("api from \(masked)"), "the original finishes its own")
            #expect(try await TestClient.ask(in: shop.service(1), own, 9092) == .reply("named from \(masked)"))
            // What it says to itself on the loopback is nobody's business.
            #expect(try await TestClient.ask(in: shop.service(1), .loopback, 8080) == .reply("api from 127.0.0.1"))
            let late = try await TestClient.open(in: shop.service(1), to: own, port: 9000).get()
            #expect(try await late.ask() == .reply("dev from \(own)"))
            try await shop.set([])
            #expect(try await late.ask() != .reply("dev from \(own)"), "cut, though its end says another address")
            #expect(try await TestClient.ask(in: shop.service(1), own, 8080) == .reply("api from \(masked)"))
            #expect(try await datagrams.ask() == .reply("api from \(masked)"))
        }
    }

    @Test func datagramsReachTheWorkspaceToo() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            try await shop.connect(1)
            let server = try await TestServer.udp("dev", in: shop.workspace(0), at: .loopback, port: 3000)
            defer { withExtendedLifetime(server) {} }
            #expect(try await shop.set([shop.intercept(ServicePort(7000, .udp), of: 2)]) == [true])
            for (caller, address) in [
                (shop.service(1), AddressPlan.container(1)), (shop.service(2), AddressPlan.container(2)),
                (shop.workspace(1), shop.addresses[1]), (shop.workspace(0), shop.addresses[0]),
            ] {
                #expect(try await TestClient.ask(.udp, in: caller, shop.database, 7000) == .reply("dev from \(address)"), "\(caller)")
            }
            #expect(try await TestClient.ask(in: shop.service(1), shop.database, 6379) == .reply("db from \(AddressPlan.container(1))"))
        }
    }

    @Test func aPortThatNoInterceptNamesStaysClosed() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            try await shop.connect(1)
            let server = try await Listener.everywhere.start(in: shop.workspace(0))
            let other = try await Listener.everywhere.start("other", in: shop.workspace(0), port: 3001)
            defer { withExtendedLifetime((server, other)) {} }
            for intercepts in [[try shop.intercept()], []] {
                try await shop.set(intercepts)
                for caller in [shop.service(1), shop.service(2), shop.workspace(1)] {
                    // By the service's name only: neither the target itself nor its neighbour, on whatever address.
                    #expect(try await TestClient.ask(in: caller, shop.addresses[0], 3000) == .refused)
                    #expect(try await TestClient.ask(in: caller, shop.addresses[0], 3001) == .refused)
                    #expect(try await TestClient.ask(in: caller, shop.api, 3000) == .refused)
                }
            }
            #expect(try await TestClient.ask(in: shop.workspace(0), shop.addresses[0], 3001) == .reply("other from \(shop.addresses[0])"))
        }
    }

    @Test func twoInterceptsMayShareATarget() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let server = try await Listener.loopback.start(in: shop.workspace(0))
            defer { withExtendedLifetime(server) {} }
            let (first, second) = (try shop.intercept(), try shop.intercept(ServicePort(6379), of: 2))
            #expect(try await shop.set([first, second]) == [true, true])
            let reply = TestClient.Outcome.reply("dev from \(AddressPlan.container(1))")
            #expect(try await TestClient.ask(in: shop.service(1), shop.api, 8080) == reply)
            #expect(try await TestClient.ask(in: shop.service(1), shop.database, 6379) == reply)
            #expect(try await shop.set([second]) == [true])
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("api from \(AddressPlan.container(2))"))
            #expect(try await TestClient.ask(in: shop.service(1), shop.database, 6379) == reply)
            try await shop.set([])
            #expect(try await TestClient.ask(in: shop.service(1), shop.database, 6379) == .reply("db from \(AddressPlan.container(1))"))
        }
    }

    @Test func aStoppedServiceMayBeIntercepted() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let server = try await Listener.loopback.start(in: shop.workspace(0))
            defer { withExtendedLifetime(server) {} }
            try await shop.network.setServices([shop.services[1]], of: shop.environment)
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .refused)
            let intercept = try shop.intercept()
            #expect(try await shop.set([intercept]) == [true])
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("dev from \(AddressPlan.container(2))"))
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 9000) == .refused)
            try await shop.verify(intercept)
            // Its start and stop leave the intercept alone.
            try await shop.network.setServices(shop.services, of: shop.environment)
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("dev from \(AddressPlan.container(2))"))
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 9000) == .reply("extra from \(AddressPlan.container(2))"))
        }
    }

    @Test func anotherTargetTakesThePlaceOfTheFirst() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let servers = [
                try await Listener.loopback.start("first", in: shop.workspace(0)),
                try await Listener.loopback.start("second", in: shop.workspace(0), port: 4000),
            ]
            defer { withExtendedLifetime(servers) {} }
            for (target, word) in [(UInt16(3000), "first"), (4000, "second"), (3000, "first")] {
                #expect(try await shop.set([shop.intercept(target: target)]) == [true])
                #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("\(word) from \(AddressPlan.container(2))"))
                #expect(try await TestClient.ask(in: shop.workspace(0), shop.api, 8080) == .reply("\(word) from \(shop.addresses[0])"))
            }
        }
    }

    @Test func onlyAConnectedWorkspaceMayIntercept() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            let error = await #expect(throws: KilnError.self) { try await shop.set([shop.intercept()]) }
            #expect(error?.code == .notConnected)
            try await shop.connect(0)
            let twice = await #expect(throws: KilnError.self) { try await shop.set([shop.intercept(), shop.intercept(target: 4000)]) }
            #expect(twice?.code == .intercepted)
            #expect(throws: KilnError.self) { try shop.intercept(of: 0) }
            #expect(throws: KilnError.self) { try shop.intercept(target: 0) }
            #expect(try await shop.elements().isEmpty)
        }
    }
}
