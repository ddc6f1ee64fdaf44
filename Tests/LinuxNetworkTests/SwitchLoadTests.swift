import Glibc
import KilnModel
import Synchronization
import Testing

@testable import LinuxNetwork

/// Switches while others call: nobody notices.
@Suite struct SwitchLoadTests {
    /// Set, stopped, set anew with another target and taken over, hundreds of times, under a load of new connections from a service, from another
    /// workspace and from the intercepting one. None fails, and one that begins after a switch goes where it should.
    @Test func switchesLoseNoConnection() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let servers = [
                try await TestServer.tcp("first", in: shop.workspace(0), at: .loopback, port: 3000),
                try await TestServer.tcp("second", in: shop.workspace(0), port: 4000, dualStack: true),
                try await TestServer.tcp("third", in: shop.workspace(1), port: 3000),
            ]
            defer { withExtendedLifetime(servers) {} }
            let load = Load(places: [shop.service(2), shop.workspace(1), shop.workspace(0)], address: shop.api, port: 8080)
            let steps: [(word: String, number: Int, target: UInt16?)] = [
                ("first", 0, 3000), ("second", 0, 4000), ("api", 0, nil), ("first", 0, 3000), ("third", 1, 3000), ("second", 0, 4000),
                ("api", 0, nil),
            ]
            let deadline = ContinuousClock.now + .seconds(8)
            var switches = 0
            let result = try await load.during {
                while switches < 350, ContinuousClock.now < deadline {
                    let step = steps[switches % steps.count]
                    try await shop.set(step.target.map { [try shop.intercept(target: $0)] } ?? [], by: step.number)
                    let place = switches % 2 == 0 ? shop.service(2) : shop.workspace(1)
                    guard case .reply(let text) = try await TestClient.ask(in: place, shop.api, 8080) else {
                        Issue.record("no answer after switch \(switches)")
                        break
                    }
                    #expect(text.hasPrefix("\(step.word) from"), "switch \(switches)")
                    switches += 1
                }
            }
            #expect(result.failures == [:], "of \(result.answers) connections, with \(switches) switches")
            #expect(switches >= 50 && Set(result.answers.keys) == ["api", "first", "second", "third"], "\(switches) switches, \(result.answers)")
        }
    }

    /// A datagram to a port may get lost on its way, but none that is sent after a switch is answered by the old side.
    @Test func datagramsOfOneSocketSwitchUnderLoad() async throws {
        try await World.with { world in
            let shop = try await Shop(world)
            for number in [0, 1] { try await shop.connect(number) }
            let server = try await TestServer.udp("dev", in: shop.workspace(0), port: 3000)
            defer { withExtendedLifetime(server) {} }
            let load = Load(.udp, places: [shop.service(1), shop.workspace(1), shop.workspace(0)], address: shop.database, port: 7000)
            let client = try await TestClient.open(.udp, in: shop.service(1), to: shop.database, port: 7000).get()
            let result = try await load.during {
                for round in 0..<100 {
                    let isOn = round % 2 == 0
                    try await shop.set(isOn ? [shop.intercept(ServicePort(7000, .udp), of: 2)] : [])
                    #expect(try await client.ask() == .reply("\(isOn ? "dev" : "udp") from \(AddressPlan.container(1))"), "round \(round)")
                }
            }
            #expect(Set(result.answers.keys) == ["dev", "udp"], "\(result)")
        }
    }
}

/// Callers in several namespaces that open one connection after another, or send one datagram after another, and wait for each answer.
private final class Load: Sendable {
    struct Result: Sendable {
        /// By the first word.
        var answers: [String: Int] = [:]
        /// By what failed and its errno.
        var failures: [String: Int] = [:]
    }

    private let transport: TransportProtocol
    private let places: [NetworkNamespace]
    private let address: IPv4Address
    private let port: UInt16
    private let state = Mutex((result: Result(), isEnding: false, running: 0))

    init(_ transport: TransportProtocol = .tcp, places: [NetworkNamespace], address: IPv4Address, port: UInt16) {
        (self.transport, self.places, self.address, self.port) = (transport, places, address, port)
    }

    /// What came of it while `body` ran.
    func during(_ body: () async throws -> Void) async throws -> Result {
        for place in places {
            state.withLock { $0.running += 1 }
            try await place.perform {
                Worker.start {
                    let socket = self.transport == .udp ? self.open() : nil
                    while !self.state.withLock({ $0.isEnding }) { self.call(socket ?? self.open()) }
                    self.state.withLock { $0.running -= 1 }
                }
            }
        }
        do {
            try await body()
        } catch {
            await end()
            throw error
        }
        await end()
        return state.withLock { $0.result }
    }

    private func end() async {
        state.withLock { $0.isEnding = true }
        while state.withLock({ $0.running }) > 0 { await Task.yield() }
    }

    /// nil: it could not, which is a failure.
    private func open() -> Descriptor? {
        let type = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let descriptor = Descriptor(socket(AF_INET, CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0))
        // A reset at the end, after the answer: no port is left in TIME_WAIT, of which there are too few.
        var abrupt = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor.number, SOL_SOCKET, SO_LINGER, &abrupt, socklen_t(MemoryLayout<linger>.size))
        // Short enough for a repeated SYN to be noticed as the delay that it is.
        var limit = timeval(tv_sec: 0, tv_usec: 900_000)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] { setsockopt(descriptor.number, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) }
        if TestClient.withAddress(address, port, { connect(descriptor.number, $0, $1) }) == 0 { return descriptor }
        fail("connect")
        return nil
    }

    private func call(_ socket: Descriptor?) {
        guard let socket else { return }
        guard send(socket.number, "hello", 5, CInt(MSG_NOSIGNAL)) == 5 else { return fail("send") }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(socket.number, &buffer, buffer.count, 0)
        guard count > 0 else { return fail("receive") }
        let word = String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ").first.map(String.init) ?? ""
        state.withLock { $0.result.answers[word, default: 0] += 1 }
    }

    private func fail(_ what: String) {
        let number = errno
        state.withLock { $0.result.failures["\(what): \(String(cString: strerror(number)))", default: 0] += 1 }
    }
}
