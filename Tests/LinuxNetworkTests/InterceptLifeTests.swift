import Glibc
import KilnModel
import Testing

@testable import LinuxNetwork

/// Waiting, taking over, crashes, and what is left at the end: nothing.
@Suite struct InterceptLifeTests {
    private let caller = AddressPlan.container(2)

    @Test func itWaitsForAListenerAndWhenThatEndsAgain() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let watch = try ListenerWatch()
            try await watch.watch(shop.workspaces[0], shop.workspace(0))
            #expect(try await shop.set([shop.intercept()]) == [false])
            for round in 0..<3 {
                #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("api from \(caller)"), "round \(round)")
                #expect(try await TestClient.ask(in: shop.workspace(0), shop.api, 8080) == .reply("api from \(shop.addresses[0])"))
                #expect(try await shop.review() == [false])
                let program = try await TestProgram.listener("dev", in: shop.workspace(0), at: "127.0.0.1", port: 3000)
                #expect(try await shop.network.listeners(of: shop.workspaces[0]).contains(ServicePort(3000)))
                #expect(try await shop.review() == [true])
                #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("dev from \(caller)"))
                program.kill()
                for await changes in watch.changes where changes.contains(.ended(workspace: shop.workspaces[0], port: ServicePort(3000))) { break }
                #expect(try await shop.review() == [false])
            }
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("api from \(caller)"))
        }
    }

    @Test func withoutFallbackItRefusesUntilSomebodyListens() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let intercept = try shop.intercept(fallback: false)
            #expect(try await shop.set([intercept]) == [true])
            for place in [shop.service(2), shop.service(1), shop.workspace(0)] {
                #expect(try await TestClient.ask(in: place, shop.api, 8080) == .refused)
            }
            let error = await #expect(throws: KilnError.self) { try await shop.verify(intercept) }
            #expect(error?.code == .probeFailed && error?.message.contains("listens on port 3000") == true)
            let server = try await TestServer.tcp("dev", in: shop.workspace(0), port: 3000)
            defer { withExtendedLifetime(server) {} }
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("dev from \(caller)"))
            try await shop.verify(intercept)
        }
    }

    @Test func anotherWorkspaceTakesItOver() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let servers = [
                try await TestServer.tcp("first", in: shop.workspace(0), port: 3000),
                try await TestServer.tcp("second", in: shop.workspace(1), port: 4000),
            ]
            defer { withExtendedLifetime(servers) {} }
            let beside = try shop.intercept(ServicePort(6379), of: 2)
            #expect(try await shop.set([shop.intercept(), beside]) == [true, true])
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("first from \(caller)"))
            #expect(try await shop.counts().map(\.connections) == [1, 0])
            #expect(try await shop.set([shop.intercept(target: 4000)], by: 1) == [true])
            for (place, address) in [(shop.service(2), caller), (shop.workspace(0), shop.addresses[0]), (shop.workspace(1), shop.addresses[1])] {
                #expect(try await TestClient.ask(in: place, shop.api, 8080) == .reply("second from \(address)"))
            }
            #expect(try await shop.review(0) == [true], "what it still has")
            #expect(try await TestClient.ask(in: shop.service(1), shop.database, 6379) == .reply("first from \(AddressPlan.container(1))"))
            #expect(try await shop.counts(1).map(\.connections) == [3], "it begins at nothing")
            // The loser takes nothing back, whatever listens.
            #expect(try await shop.set([], by: 1) == [])
            #expect(try await shop.review(0) == [true])
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("api from \(caller)"))
        }
    }

    @Test func oneThatWaitsIsTakenOverAsWell() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            #expect(try await shop.set([shop.intercept()], by: 0) == [false])
            #expect(try await shop.set([shop.intercept()], by: 1) == [false])
            let server = try await TestServer.tcp("first", in: shop.workspace(0), port: 3000)
            defer { withExtendedLifetime(server) {} }
            #expect(try await shop.review(0) == [])
            #expect(try await shop.review(1) == [false])
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("api from \(caller)"))
        }
    }

    @Test func anOpenExchangeOfTheLoserFollowsTheTakeOver() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let servers = [
                try await TestServer.udp("first", in: shop.workspace(0), port: 3000),
                try await TestServer.udp("second", in: shop.workspace(1), port: 3000),
            ]
            defer { withExtendedLifetime(servers) {} }
            let intercept = try shop.intercept(ServicePort(7000, .udp), of: 2)
            try await shop.set([intercept], by: 0)
            let clients = [
                try await TestClient.open(.udp, in: shop.workspace(0), to: shop.database, port: 7000).get(),
                try await TestClient.open(.udp, in: shop.workspace(1), to: shop.database, port: 7000).get(),
            ]
            for (client, address) in zip(clients, shop.addresses) { #expect(try await client.ask() == .reply("first from \(address)")) }
            try await shop.set([intercept], by: 1)
            for (client, address) in zip(clients, shop.addresses) { #expect(try await client.ask() == .reply("second from \(address)")) }
        }
    }

    /// What `kill -9` leaves between the transactions of a start, of a stop, and of a take-over.
    @Test func halfOfAChangeIsCompletedOrTakenBack() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let servers = [
                try await TestServer.tcp("first", in: shop.workspace(0), port: 3000),
                try await TestServer.tcp("second", in: shop.workspace(1), port: 3000),
            ]
            defer { withExtendedLifetime(servers) {} }
            let intercept = try shop.intercept()
            func rules(of number: Int) -> WorkspaceRules {
                var record = EnvironmentIntercepts()
                record.replace(with: [intercept], of: shop.addresses[number])
                record.review(shop.addresses[number], listening: [ServicePort(3000)])
                return WorkspaceRules(record, of: shop.addresses[number], listening: ListenerTable())
            }
            let nothing = SetElements(WorkspaceRules.collections.map(\.name))

            // Start: the workspace's rules, and no switch.
            try await Nftables.apply(rules(of: 0).additions(to: nothing).joined(separator: "\n"), in: shop.workspace(0))
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("api from \(caller)"))
            #expect(try await shop.review(0) == [])
            #expect(try await settled(shop) == [])

            // Stop: the switch is back, the workspace's rules still there.
            try await shop.set([intercept])
            let whole = try await settled(shop)
            try await Nftables.apply(
                EnvironmentIntercepts.collections.map { "flush \($0.keyword) ip kiln \($0.name)" }.joined(separator: "\n"), in: shop.hub)
            #expect(try await shop.review(0) == [])
            #expect(try await settled(shop) == [])

            // Take-over: the loser's rules are still there.
            try await shop.set([intercept], by: 0)
            #expect(try await settled(shop) == whole)
            try await Nftables.apply(rules(of: 1).additions(to: nothing).joined(separator: "\n"), in: shop.workspace(1))
            var record = EnvironmentIntercepts()
            record.replace(with: [intercept], of: shop.addresses[1])
            record.review(shop.addresses[1], listening: [ServicePort(3000)])
            let present = try await shop.hub.perform { try Nftables.elementsHere(of: EnvironmentIntercepts.collections, in: "kiln") }
            try await Nftables.apply(record.elements.changes(from: present, table: "kiln").joined(separator: "\n"), in: shop.hub)
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("second from \(caller)"))
            #expect(try await shop.review(0) == [])
            #expect(try await shop.review(1) == [true])
            #expect(withoutCallers(try await settled(shop)).count == whole.count)
            #expect(try await TestClient.ask(in: shop.workspace(0), shop.api, 8080) == .reply("second from \(shop.addresses[0])"))
        }
    }

    @Test(arguments: ["intercepts", "zoned", "places", "marks", "traffic", "connections"])
    func whatSomebodyFlushedComesBack(_ name: String) async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let servers = [
                try await TestServer.tcp("dev", in: shop.workspace(0), port: 3000),
                try await TestServer.udp("dev", in: shop.workspace(0), port: 3000),
            ]
            defer { withExtendedLifetime(servers) {} }
            try await shop.set([shop.intercept(), shop.intercept(ServicePort(7000, .udp), of: 2)])
            let whole = try await shop.elements()
            let keyword = try #require(EnvironmentIntercepts.collections.first { $0.name == name }).keyword
            for namespace in [shop.hub, shop.workspace(0)] {
                try await Nftables.apply("flush \(keyword) ip kiln \(name)", in: namespace)
                #expect(try await shop.elements() != whole)
                #expect(try await shop.review() == [true, true])
                #expect(try await shop.elements() == whole)
            }
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("dev from \(caller)"))
            #expect(try await TestClient.ask(.udp, in: shop.service(2), shop.database, 7000) == .reply("dev from \(caller)"))
        }
    }

    enum Ending: CaseIterable, Sendable {
        case stop, disconnect, removeWorkspace, removeService, removeEnvironment, connectElsewhere
    }

    @Test(arguments: Ending.allCases) func nothingIsLeftAtTheEnd(_ ending: Ending) async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let servers = [
                try await TestServer.tcp("dev", in: shop.workspace(0), port: 3000),
                try await TestServer.udp("dev", in: shop.workspace(0), port: 3000),
            ]
            defer { withExtendedLifetime(servers) {} }
            try await shop.set([shop.intercept(), shop.intercept(ServicePort(8080, .udp)), shop.intercept(ServicePort(9000), target: 4000)])
            for place in [shop.service(2), shop.workspace(0), shop.workspace(1)] { _ = try await TestClient.ask(in: place, shop.api, 8080) }
            #expect(try await shop.elements().contains { $0.hasPrefix("callers") })
            switch ending {
            case .stop: try await shop.set([])
            case .disconnect: try await shop.disconnect(0)
            case .removeWorkspace: try await shop.network.removeWorkspace(shop.workspaces[0])
            case .removeService: try await shop.network.removeService(environment: shop.environment, index: 1)
            case .removeEnvironment: try await shop.network.removeEnvironment(shop.environment)
            case .connectElsewhere:
                let other = ResourceID.random()
                try await shop.network.ensureEnvironment(other, uplink: AddressPlan.environment(2))
                try await shop.network.connect(workspace: shop.workspaces[0], address: shop.addresses[0], to: other)
            }
            #expect(try await settled(shop) == [])
            if ending != .removeEnvironment, ending != .removeService {
                #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("api from \(caller)"))
            }
        }
    }

    @Test func aDisconnectWakesThoseWhoTalkToTheWorkspace() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let server = try await TestServer.tcp("dev", in: shop.workspace(0), at: .loopback, port: 3000)
            defer { withExtendedLifetime(server) {} }
            try await shop.set([shop.intercept()])
            var clients: [TestClient] = []
            for place in [shop.service(2), shop.workspace(1)] {
                let client = try await TestClient.open(in: place, to: shop.api, port: 8080).get()
                guard case .reply = try await client.ask() else {
                    Issue.record("no reply before the disconnect")
                    return
                }
                client.setTimeout(milliseconds: 20_000)
                clients.append(client)
            }
            let readers = clients.map { client in Task { try await DedicatedThread.run { client.receive() } } }
            try await Task.sleep(for: .milliseconds(50))
            try await shop.disconnect(0)
            for reader in readers { #expect(try await reader.value == .failed(ECONNABORTED)) }
            for place in [shop.service(2), shop.workspace(1)] {
                guard case .reply(let text) = try await TestClient.ask(in: place, shop.api, 8080) else {
                    Issue.record("the original does not answer")
                    continue
                }
                #expect(text.hasPrefix("api from"))
            }
        }
    }

    @Test func theInterceptsOfADeletedNamespaceAreTakenOut() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            try await shop.connect(0)
            let server = try await TestServer.tcp("dev", in: shop.workspace(0), port: 3000)
            defer { withExtendedLifetime(server) {} }
            try await shop.set([shop.intercept()])
            let namespace = shop.workspace(0)
            try await shop.network.change { try shop.network.deleteVeths(in: namespace) }
            try await namespace.delete()
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .refused)
            try await shop.network.ensureEnvironment(shop.environment, uplink: shop.uplink)
            #expect(try await TestClient.ask(in: shop.service(2), shop.api, 8080) == .reply("api from \(caller)"))
            #expect(try await shop.elements() == [])
        }
    }

    /// Elements but for those that are about to go by themselves.
    private func settled(_ shop: Shop) async throws -> [String] { try await shop.elements().filter { !$0.hasPrefix("leaving") } }

    private func withoutCallers(_ elements: [String]) -> [String] { elements.filter { !$0.hasPrefix("callers") } }
}
