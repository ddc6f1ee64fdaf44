import KilnModel
import Testing

@Suite struct InterceptWishTests {
    typealias PortWish = InterceptWish.PortWish

    private static let web = [ServicePort(8080)]
    private static let dns = [ServicePort(53, .udp)]
    private static let both = [ServicePort(53), ServicePort(53, .udp), ServicePort(8080), ServicePort(9090, .udp)]

    struct Example: Sendable {
        let ports: [PortWish]
        let declared: [ServicePort]
        /// `port→target`; nil: refused.
        let meant: [String]?
    }

    static let examples = [
        Example(ports: [], declared: web, meant: ["8080/tcp→8080"]),
        Example(ports: [], declared: dns, meant: ["53/udp→53"]),
        Example(ports: [], declared: both, meant: nil),
        Example(ports: [], declared: [], meant: nil),
        Example(ports: [.init(target: 3000)], declared: web, meant: ["8080/tcp→3000"]),
        Example(ports: [.init(target: 3000)], declared: both, meant: nil),
        Example(ports: [.init(target: 9090)], declared: both, meant: ["9090/udp→9090"]),
        Example(ports: [.init(target: 53)], declared: both, meant: nil),
        Example(ports: [.init(transport: .tcp, target: 53)], declared: both, meant: ["53/tcp→53"]),
        Example(ports: [.init(transport: .udp)], declared: both, meant: nil),
        Example(ports: [.init(transport: .udp)], declared: web, meant: nil),
        Example(ports: [.init(number: 9090, target: 1)], declared: both, meant: ["9090/udp→1"]),
        Example(ports: [.init(number: 53, target: 1)], declared: both, meant: ["53/tcp→1"]),
        Example(ports: [.init(number: 53, transport: .udp, target: 1)], declared: both, meant: ["53/udp→1"]),
        Example(ports: [.init(number: 5005)], declared: web, meant: ["5005/tcp→5005"]),
        Example(ports: [.init(number: 5005, transport: .udp)], declared: [], meant: ["5005/udp→5005"]),
        Example(
            ports: [.init(number: 8080, target: 1), .init(number: 9090, target: 1)], declared: both, meant: ["8080/tcp→1", "9090/udp→1"]
        ),
        Example(ports: [.init(number: 8080), .init(number: 8080, target: 1)], declared: both, meant: nil),
        Example(ports: [.init(target: 3000), .init(number: 8080, target: 1)], declared: web, meant: nil),
        Example(ports: [.init(number: 0, target: 1)], declared: web, meant: nil),
        Example(ports: [.init(number: 8080, target: 0)], declared: web, meant: nil),
    ]

    @Test(arguments: examples) func `what is left open follows from the ports that are declared`(example: Example) throws {
        let wish = InterceptWish(service: name("api"), ports: example.ports)
        guard let meant = example.meant else {
            #expect(throws: KilnError.self) { try wish.intercepts(declared: example.declared, since: 5) }
            return
        }
        #expect(try wish.intercepts(declared: example.declared, since: 5).map { "\($0.port)→\($0.target)" } == meant)
    }

    @Test func `what is refused says which ports there are`() {
        let error = #expect(throws: KilnError.self) { try InterceptWish(service: name("api")).intercepts(declared: Self.both, since: 5) }
        #expect(error?.code == .portNeeded)
        #expect(error?.message == "The service api has several ports: 53, 53/udp, 8080, 9090/udp.")
        #expect(error?.hint == "Name one, and where it goes: --port 53:3000")
    }
}

@Suite struct InterceptStatusTests {
    private func intercept(_ port: UInt16, to target: UInt16) -> Intercept {
        Intercept(service: name("api"), port: ServicePort(port), target: target, since: 1)
    }

    @Test func `what is new, was lost or goes elsewhere is starting; the rest stays as it was seen`() {
        var status = Workspace.Status()
        status.intercepts = [
            InterceptStatus(intercept(1, to: 10), .active, since: 2), InterceptStatus(intercept(2, to: 20), .active, since: 2),
            InterceptStatus(intercept(3, to: 30), .lost, since: 2), InterceptStatus(intercept(5, to: 50), .waiting, since: 2),
        ]
        status.expect([intercept(1, to: 10), intercept(2, to: 21), intercept(3, to: 30), intercept(4, to: 40)], now: 9)
        #expect(status.intercepts.map(\.port.number) == [1, 2, 3, 5, 4])
        #expect(status.intercepts.map(\.phase) == [.active, .starting, .starting, .waiting, .starting])
        #expect(status.intercepts.map(\.since) == [2, 9, 9, 2, 9])
    }

    @Test func `a port is written as people write it`() {
        #expect(Intercept.Key(name("api"), ServicePort(8080)).description == "api:8080")
        #expect(Intercept.Key(name("dns"), ServicePort(53, .udp)).description == "dns:53/udp")
    }

    @Test func `a workspace's address leads back to its index, any other to none`() {
        for index in [1, 2, 255, 256, 32_000] { #expect(AddressPlan.workspaceIndex(of: AddressPlan.workspace(index)) == index) }
        for address in [AddressPlan.container(7), AddressPlan.environment(7), IPv4Address(198, 19, 0, 0), IPv4Address(10, 0, 0, 1)] {
            #expect(AddressPlan.workspaceIndex(of: address) == nil)
        }
    }
}

private func name(_ text: String) -> Name {
    do { return try Name(text) } catch { preconditionFailure("\(error)") }
}
