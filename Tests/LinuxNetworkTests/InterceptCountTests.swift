import Glibc
import KilnModel
import Testing

@testable import LinuxNetwork

/// What status tells: who called, how much passed, whether it works, who still waits for an answer.
@Suite struct InterceptCountTests {
    @Test func connectionsBytesAndCallersAreCountedAndNothingElseIs() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let server = try await TestServer.tcp("dev", in: shop.workspace(0), at: .loopback, port: 3000)
            defer { withExtendedLifetime(server) {} }
            let early = try await TestClient.open(in: shop.service(2), to: shop.api, port: 8080).get()
            let intercept = try shop.intercept()
            try await shop.set([intercept])
            #expect(try await shop.counts() == [count(0, bytes: 0, callers: [:])])

            // What the original finishes, what goes to its other port, and the probe are no traffic of this intercept.
            _ = try await early.ask()
            _ = try await TestClient.ask(in: shop.service(2), shop.api, 9000)
            try await shop.verify(intercept)
            #expect(try await shop.counts() == [count(0, bytes: 0, callers: [:])])

            for (place, calls) in [(shop.service(2), 3), (shop.workspace(1), 2), (shop.workspace(0), 1), (shop.service(1), 1)] {
                for _ in 0..<calls { _ = try await TestClient.ask(in: place, shop.api, 8080) }
            }
            let callers = [AddressPlan.container(2): 3, shop.addresses[1]: 2, shop.addresses[0]: 1, AddressPlan.container(1): 1]
            let found = try #require(try await shop.counts().first)
            #expect(found.connections == 7 && found.callers == callers)
            // Seven times at least a handshake, a question and an answer, and a goodbye, in both directions.
            #expect(found.bytes > 7 * 8 * 40 && found.bytes < 7 * 14 * 80, "\(found.bytes)")

            // Both directions of each: a long answer is nearly all there is.
            let client = try await TestClient.open(in: shop.workspace(0), to: shop.api, port: 8080).get()
            let own = try await bytes(shop)
            _ = try await client.ask([UInt8](repeating: 1, count: 4000))
            let grown = try await bytes(shop) - own
            #expect(grown > 4000 && grown < 5000, "the own calls' bytes are counted once: \(grown)")
        }
    }

    @Test func countsOutliveWaitingAndEndWithTheIntercept() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            for round in 1...3 {
                let server = try await TestServer.tcp("dev", in: shop.workspace(0), port: 3000)
                #expect(try await shop.set([shop.intercept()]) == [true])
                _ = try await TestClient.ask(in: shop.service(2), shop.api, 8080)
                _ = try await TestClient.ask(in: shop.workspace(0), shop.api, 8080)
                #expect(try await shop.counts().map(\.connections) == [round * 2])
                withExtendedLifetime(server) {}
                // A value of no use any more: it ends here.
                _ = consume server
                #expect(try await shop.review() == [false])
                _ = try await TestClient.ask(in: shop.service(2), shop.api, 8080)
                #expect(try await shop.counts().map(\.connections) == [round * 2], "what the original answers is not counted")
            }
            try await shop.set([])
            #expect(try await shop.counts() == [])
            try await shop.set([shop.intercept()])
            #expect(try await shop.counts() == [count(0, bytes: 0, callers: [:])])
        }
    }

    @Test func anExchangeOfDatagramsCountsOnce() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let server = try await TestServer.udp("dev", in: shop.workspace(0), port: 3000)
            defer { withExtendedLifetime(server) {} }
            try await shop.set([shop.intercept(ServicePort(7000, .udp), of: 2)])
            let client = try await TestClient.open(.udp, in: shop.service(1), to: shop.database, port: 7000).get()
            for _ in 0..<5 { _ = try await client.ask() }
            let found = try #require(try await shop.counts().first)
            #expect(found.connections == 1 && found.callers == [AddressPlan.container(1): 1])
            #expect(found.bytes == 5 * (20 + 8 + "hello".utf8.count + 20 + 8 + "dev from 198.18.128.1".utf8.count))
        }
    }

    @Test func aProbeTellsWhatIsInTheWay() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let server = try await TestServer.tcp("dev", in: shop.workspace(0), at: .loopback, port: 3000)
            defer { withExtendedLifetime(server) {} }
            let intercept = try shop.intercept()
            func problem() async throws -> String {
                do { try await shop.verify(intercept) } catch let error as KilnError {
                    #expect(error.code == .probeFailed)
                    return error.message
                }
                return ""
            }
            #expect(try await problem().contains("does not send"))
            try await shop.set([intercept])
            #expect(try await problem() == "")
            // Its rules are right, and something else is not.
            try await Nftables.apply("insert rule ip kiln translate tcp dport 8080 dnat to \(AddressPlan.container(1))", in: shop.hub)
            #expect(try await problem().contains("reached 198.18.128.1:8080"))
            try await shop.network.ensureEnvironment(shop.environment, uplink: shop.uplink)
            #expect(try await problem() == "")
            try await Nftables.apply("insert rule ip kiln input iifname env0 drop", in: shop.workspace(0))
            #expect(try await problem().contains("timedOut"))
            try await shop.network.ensureWorkspace(shop.workspaces[0], address: shop.addresses[0])
            try await Nftables.apply("flush map ip kiln intercepts", in: shop.workspace(0))
            #expect(try await problem().contains("workspace's rules"))
            #expect(try await shop.review() == [true])
            #expect(try await problem() == "")
        }
    }

    @Test func aProbeOfDatagramsSendsNone() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let intercept = try shop.intercept(ServicePort(7000, .udp), of: 2, fallback: false)
            try await shop.set([intercept])
            await #expect(throws: KilnError.self) { try await shop.verify(intercept) }
            let server = try await TestServer.udp("dev", in: shop.workspace(0), at: .loopback, port: 3000)
            defer { withExtendedLifetime(server) {} }
            // It listens where the rules, made without it, do not lead.
            await #expect(throws: KilnError.self) { try await shop.verify(intercept) }
            try await shop.review()
            try await shop.verify(intercept)
            #expect(try await shop.counts().map(\.connections) == [0])
        }
    }

    @Test func aConnectionIsBusyFromQuestionToAnswer() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let servers = [
                try await TestServer.tcp("dev", in: shop.workspace(0), at: .loopback, port: 3000),
                try await TestServer.tcp("mute", in: shop.workspace(0), at: .loopback, port: 4000, isMute: true),
            ]
            defer { withExtendedLifetime(servers) {} }
            try await shop.set([shop.intercept(), shop.intercept(ServicePort(9000), target: 4000)])
            func busy(_ ports: Set<UInt16>) async throws -> Int {
                try await shop.network.busyConnections(workspace: shop.workspaces[0], ports: ports)
            }
            let idle = try await TestClient.open(in: shop.service(2), to: shop.api, port: 8080).get()
            #expect(try await busy([3000, 4000]) == 0)
            _ = try await idle.ask()
            let waiting = try await TestClient.open(in: shop.service(2), to: shop.api, port: 9000).get()
            #expect(try await busy([4000]) == 0)
            send(waiting.number, "hello", 5, 0)
            // Answered within a tick of the question it may count for a moment; the other one for as long as it takes.
            try await Task.sleep(for: .milliseconds(Int(TCPActivity.doubt) + 100))
            #expect(try await busy([3000]) == 0)
            #expect(try await busy([4000]) == 1)
            #expect(try await busy([3000, 4000]) == 1)
            #expect(try await busy([5000]) == 0)
            withExtendedLifetime((idle, waiting)) {}
        }
    }

    @Test func anAnswerIsOwedByWhatCameLast() {
        func owes(_ lastReceived: UInt32, _ lastSent: UInt32, _ received: UInt32 = 1, _ sent: UInt32 = 1) -> Bool {
            TCPActivity(lastSent: lastSent, lastReceived: lastReceived, received: received, sent: sent).hasOpenQuestion
        }
        #expect(!owes(9000, 9000, 0, 0), "just opened")
        #expect(owes(9000, 9000, 1, 0), "never answered")
        #expect(owes(20, 400) && !owes(400, 20))
        #expect(owes(12, 12) && !owes(900, 900), "in one tick: in doubt, for a while")
    }

    private func count(_ connections: Int, bytes: Int, callers: [IPv4Address: Int]) -> InterceptCount {
        InterceptCount(serviceIndex: 1, port: ServicePort(8080), connections: connections, bytes: bytes, callers: callers)
    }

    private func bytes(_ shop: Shop) async throws -> Int { try await shop.counts().map(\.bytes).reduce(0, +) }
}
