import CLinux
import Glibc
import KilnModel
import Testing

@testable import LinuxNetwork

@Suite struct ListenerTests {
    @Test func whatTakesLoopbackIsListed() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            let place = shop.workspace(1)
            let servers = [
                try await TestServer.tcp("a", in: place, at: .loopback, port: 3001), try await TestServer.tcp("b", in: place, port: 3002),
                try await TestServer.tcp("c", in: place, port: 3003, dualStack: true),
                try await TestServer.udp("d", in: place, at: .loopback, port: 3004),
                try await TestServer.udp("e", in: place, port: 3005),
                // Out of an intercept's reach.
                try await TestServer.tcp("f", in: place, at: shop.addresses[1], port: 3006),
                try await TestServer.tcp("g", in: place, at: IPv4Address(127, 0, 0, 2), port: 3007),
            ]
            let (client, connected) = (
                try await TestClient.open(in: place, to: .loopback, port: 3001).get(),
                try await TestClient.open(.udp, in: place, to: .loopback, port: 3004).get()
            )
            let only6 = try await place.perform { try Self.listenOnIPv6Only(port: 3008) }
            let found = try await place.perform { try ListenerTable.read(in: place) }
            #expect(found.onLoopback == [ServicePort(3001), ServicePort(3004, .udp)])
            #expect(found.everywhere == [ServicePort(3002), ServicePort(3003), ServicePort(3005, .udp)])
            #expect(try await shop.network.listeners(of: shop.workspaces[1]) == found.ports)
            #expect(try await shop.network.listeners(of: .random()) == [])
            withExtendedLifetime((servers, client, connected, only6)) {}
        }
    }

    @Test func theEndOfAListenerIsToldAtOnceAndThatOfItsConnectionsIsNot() async throws {
        try await NetworkNamespace.temporary { namespace in
            let watch = try ListenerWatch()
            let id = ResourceID.random()
            try await watch.watch(id, namespace)
            try await watch.watch(id, namespace)
            for transport in [TransportProtocol.tcp, .udp] {
                var server: TestServer? = try await (transport == .tcp ? .tcp("a", in: namespace, port: 3000) : .udp("a", in: namespace, port: 3000))
                for _ in 0..<20 { #expect(try await TestClient.ask(transport, in: namespace, .loopback, 3000) == .reply("a from 127.0.0.1")) }
                withExtendedLifetime(server) {}
                server = nil
                #expect(try await next(watch) == [.ended(workspace: id, port: ServicePort(3000, transport))])
            }
            for dualStack in [false, true] {
                var server: TestServer? = try await .tcp("a", in: namespace, port: 3000, dualStack: dualStack)
                withExtendedLifetime(server) {}
                server = nil
                #expect(try await next(watch) == [.ended(workspace: id, port: ServicePort(3000))])
            }
        }
    }

    @Test func namespacesComeAndGoAndComeBack() async throws {
        let watch = try ListenerWatch()
        let (id, other) = (ResourceID.random(), ResourceID.random())
        try await NetworkNamespace.temporary { namespace in
            try await NetworkNamespace.temporary { beside in
                try await watch.watch(other, beside)
                for _ in 0..<3 {
                    try await watch.watch(id, namespace)
                    var server: TestServer? = try await .tcp("a", in: namespace, port: 3000)
                    withExtendedLifetime(server) {}
                    server = nil
                    #expect(try await next(watch) == [.ended(workspace: id, port: ServicePort(3000))])
                    try await namespace.delete()
                    try await namespace.create(.container)
                }
                watch.forget(id)
                // Forgotten: only the other is heard.
                for (place, port) in [(namespace, UInt16(3000)), (beside, 4000)] {
                    var server: TestServer? = try await .tcp("a", in: place, port: port)
                    withExtendedLifetime(server) {}
                    server = nil
                }
                #expect(try await next(watch) == [.ended(workspace: other, port: ServicePort(4000))])
                watch.forget(other)
            }
        }
        await #expect(throws: KilnError.self) { try await watch.watch(id, NetworkNamespace("ktest-nowhere")) }
    }

    @Test func whoOpensAndClosesThousandsIsOnlyLookedAtAsAWhole() async throws {
        try await NetworkNamespace.temporary { namespace in
            let watch = try ListenerWatch()
            let id = ResourceID.random()
            try await watch.watch(id, namespace)
            try await namespace.perform { for port in UInt16(2000)..<5000 { close(try Self.bind(port)) } }
            var seen: Set<ListenerWatch.Change> = []
            while !seen.contains(.missed(workspace: id)) { seen.formUnion(try await next(watch)) }
        }
    }

    @Test func aFullBufferIsNoticed() async throws {
        try await NetworkNamespace.temporary { namespace in
            let ends = try await namespace.perform { try SocketEnds(in: namespace) }
            try await namespace.perform { for port in UInt16(2000)..<5000 { close(try Self.bind(port)) } }
            var notices: Set<SocketEnds.Notice> = []
            // The kernel tells from a work queue.
            while !notices.contains(.missed) {
                var request = pollfd(fd: ends.descriptor.number, events: Int16(POLLIN), revents: 0)
                try #require(poll(&request, 1, 5000) == 1)
                if notices.isEmpty { usleep(200_000) }
                notices.formUnion(ends.read())
            }
        }
    }

    @Test func theStreamEndsWithItsWatch() async throws {
        var watch: ListenerWatch? = try ListenerWatch()
        let changes = try #require(watch?.changes)
        watch = nil
        for await _ in changes { Issue.record("nothing happened") }
    }

    /// Bounded: a change that never comes fails the test.
    private func next(_ watch: ListenerWatch) async throws -> Set<ListenerWatch.Change> {
        try await withThrowingTaskGroup(of: Set<ListenerWatch.Change>?.self) { group in
            group.addTask {
                for await changes in watch.changes { return changes }
                return nil
            }
            group.addTask {
                try await Task.sleep(for: .seconds(10))
                return nil
            }
            defer { group.cancelAll() }
            return try #require(try await group.next() ?? nil, "no change was told of in ten seconds")
        }
    }

    private static func bind(_ port: UInt16) throws -> CInt {
        let number = socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0, TestClient.withAddress(.loopback, port, { Glibc.bind(number, $0, $1) }) == 0 else { throw SystemCallError.last("bind") }
        return number
    }

    private static func listenOnIPv6Only(port: UInt16) throws -> Descriptor {
        let descriptor = Descriptor(socket(AF_INET6, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0))
        var on: CInt = 1
        setsockopt(descriptor.number, CInt(IPPROTO_IPV6), IPV6_V6ONLY, &on, socklen_t(MemoryLayout<CInt>.size))
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = port.bigEndian
        let code = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(descriptor.number, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
        }
        guard code == 0, listen(descriptor.number, 8) == 0 else { throw SystemCallError.last("listen on IPv6") }
        return descriptor
    }
}
