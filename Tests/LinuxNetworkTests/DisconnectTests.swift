import Glibc
import KilnModel
import Testing

@testable import LinuxNetwork

@Suite struct DisconnectTests {
    @Test func aBlockedReadFailsAtOnceOnBothSides() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            // Port 8080 of the first service is IPv4, 6379 of the second a dual-stack server.
            for (address, port, service) in [(shop.api, UInt16(8080), 1), (shop.database, UInt16(6379), 2)] {
                try await shop.connect(0)
                let client = try await TestClient.open(in: shop.workspace(0), to: address, port: port).get()
                guard case .reply = try await client.ask() else {
                    Issue.record("no reply before the disconnect")
                    return
                }
                client.setTimeout(milliseconds: 20_000)
                async let failure = DedicatedThread.run { (client.receive(), ContinuousClock.now) }
                try await waitUntilBlocked(shop, port: port)
                let start = ContinuousClock.now
                try await shop.disconnect(0)
                let (outcome, end) = try await failure
                #expect(outcome == .failed(ECONNABORTED))
                // A few milliseconds on a quiet machine; here verbs of many worlds wait for each other.
                #expect(end - start < .seconds(10))
                let left = try await sockets(in: shop.service(service), with: shop.addresses[0])
                #expect(left == 0, "the service's side is ended too")
            }
        }
    }

    @Test func nothingOfAConnectionIsLeft() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let address = shop.addresses[0]
            let udp = try await TestClient.open(.udp, in: shop.workspace(0), to: shop.database, port: 7000).get()
            #expect(try await udp.ask() == .reply("udp from \(address)"))
            #expect(try await TestClient.ask(in: shop.workspace(0), shop.api, 8080) == .reply("api from \(address)"))
            #expect(try await Conntrack.list(in: shop.hub).contains { $0.mentions(address) }, "there was something to delete")

            try await shop.disconnect(0)
            #expect(try await Conntrack.list(in: shop.hub).allSatisfy { !$0.mentions(address) })
            let ours = try await Conntrack.list(in: shop.workspace(0)).filter { AddressPlan.services.contains($0.destination) }
            #expect(ours.isEmpty)
            #expect(udp.receive() == .failed(ECONNABORTED), "the socket is ended, not left to hang")
            #expect(try await shop.network.connection(of: shop.workspaces[0]) == nil)
            try await world.flushNeighbours()
            #expect(try await TestClient.ask(in: shop.workspace(0), shop.api, 8080) == .unreachable)
            #expect(try await TestClient.ask(in: shop.workspace(0), AddressPlan.container(2), 6379) == .unreachable)
            #expect(try await TestClient.ask(in: shop.workspace(0), World.internetAddress, 80) == .reply("net from 203.0.113.1"))
        }
    }

    @Test func connectionsToTheInternetGoOn() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let internet = try await TestClient.open(in: shop.workspace(0), to: World.internetAddress, port: 80).get()
            let own = try await TestClient.open(in: shop.workspace(0), to: shop.addresses[0], port: 22).get()
            #expect(try await internet.ask() == .reply("net from 203.0.113.1"))
            try await shop.disconnect(0)
            #expect(try await internet.ask() == .reply("net from 203.0.113.1"))
            #expect(try await own.ask() == .reply("ssh from \(shop.addresses[0])"))
            try await shop.connect(0)
            #expect(try await internet.ask() == .reply("net from 203.0.113.1"))
        }
    }

    /// The other end of what a workspace calls may be another workspace, which intercepts, or did.
    @Test func anInterceptorsEndOfACallersConnectionIsEndedToo() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let servers = [
                try await TestServer.tcp("dev", in: shop.workspace(0), at: .loopback, port: 3000),
                try await TestServer.tcp("dual", in: shop.workspace(0), port: 4000, dualStack: true),
                try await TestServer.udp("dev", in: shop.workspace(0), port: 3000),
            ]
            defer { withExtendedLifetime(servers) {} }
            try await shop.set([shop.intercept(), shop.intercept(ServicePort(9000), target: 4000), shop.intercept(ServicePort(7000, .udp), of: 2)])
            let caller = shop.addresses[1]
            let clients = [
                try await TestClient.open(in: shop.workspace(1), to: shop.api, port: 8080).get(),
                try await TestClient.open(in: shop.workspace(1), to: shop.api, port: 9000).get(),
                try await TestClient.open(.udp, in: shop.workspace(1), to: shop.database, port: 7000).get(),
            ]
            for (client, word) in zip(clients, ["dev", "dual", "dev"]) { #expect(try await client.ask() == .reply("\(word) from \(caller)")) }
            // One that outlives its intercept, as the workspace finishes what it began.
            try await shop.set([shop.intercept(), shop.intercept(ServicePort(7000, .udp), of: 2)])
            #expect(try await sockets(in: shop.workspace(0), with: caller) == 2)
            try await shop.disconnect(1)
            #expect(try await sockets(in: shop.workspace(0), with: caller) == 0)
            for client in clients { #expect(client.receive() == .failed(ECONNABORTED)) }
            #expect(try await Conntrack.list(in: shop.hub).allSatisfy { !$0.mentions(caller) }, "exchanges in zones of their own, too")
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("dev from \(AddressPlan.container(2))"))
        }
    }

    @Test func anotherWorkspacesConnectionStays() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            try await shop.connect(1)
            let other = try await TestClient.open(in: shop.workspace(1), to: shop.api, port: 8080).get()
            #expect(try await other.ask() == .reply("api from \(shop.addresses[1])"))
            try await shop.disconnect(0)
            #expect(try await other.ask() == .reply("api from \(shop.addresses[1])"))
        }
    }

    @Test func anOpenSocketToTheResolverFollowsTheConnection() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            let socket = try await TestClient.open(.udp, in: shop.workspace(0), to: AddressPlan.resolver, port: 53).get()
            func answer() async throws -> [IPv4Address] {
                let query = try DNSMessage.query("api", id: 7)
                return try await DedicatedThread.run {
                    send(socket.number, query, query.count, 0)
                    var buffer = [UInt8](repeating: 0, count: 512)
                    let count = recv(socket.number, &buffer, buffer.count, 0)
                    guard count > 0 else { throw SystemCallError.last("receive an answer") }
                    return try DNSMessage.answer(Array(buffer[..<count]), id: 7).addresses
                }
            }
            #expect(try await answer() == [shop.forwarderAnswer])
            try await shop.connect(0)
            #expect(try await answer() == [shop.api])
            try await shop.disconnect(0)
            #expect(try await answer() == [shop.forwarderAnswer])
        }
    }

    @Test func aDisconnectThatACrashCutShortIsFinished() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let client = try await TestClient.open(in: shop.workspace(0), to: shop.api, port: 8080).get()
            #expect(try await client.ask() == .reply("api from \(shop.addresses[0])"))
            // What `kill -9` right after the veth's deletion leaves.
            try await shop.workspace(0).perform {
                let socket = try NetlinkSocket.route()
                let loopback = try socket.existingLink(named: "lo").index
                try socket.send([.setLink(loopback, alias: "disconnecting environment \(shop.environment)"), .deleteLink(named: "env0")])
            }
            #expect(try await sockets(in: shop.service(1), with: shop.addresses[0]) == 1)
            try await shop.disconnect(0)
            #expect(try await sockets(in: shop.service(1), with: shop.addresses[0]) == 0)
            #expect(try await Conntrack.list(in: shop.hub).allSatisfy { !$0.mentions(shop.addresses[0]) })
            #expect(try await client.ask() == .failed(ECONNABORTED))
            let alias = try await shop.workspace(0).perform { try NetlinkSocket.route().existingLink(named: "lo").alias }
            #expect(alias == nil)
        }
    }

    /// Sockets whose other end is `address`.
    private func sockets(in namespace: NetworkNamespace, with address: IPv4Address) async throws -> Int {
        let counter = Counter()
        _ = try await DedicatedThread.run {
            try SocketDestroyer.destroy(in: namespace) { socket in
                if socket.remote == address { counter.add() }
                return false
            }
        }
        return counter.value
    }

    /// Waits for the connection to be tracked as established: the reader's thread has nothing left to do but block.
    private func waitUntilBlocked(_ shop: Shop, port: UInt16) async throws {
        #expect(try await Conntrack.list(in: shop.hub).contains { $0.destinationPort == port && $0.mentions(shop.addresses[0]) })
        try await Task.sleep(for: .milliseconds(50))
    }
}
