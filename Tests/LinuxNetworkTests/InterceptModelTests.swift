import KilnModel
import Testing

@testable import LinuxNetwork

/// The values behind intercepts, by themselves and through nft and the kernel.
@Suite struct InterceptModelTests {
    @Test func whateverIsInterceptedComesBackFromTheKernelAsItWentIn() async throws {
        var random = SystemRandomNumberGenerator()
        try await NetworkNamespace.temporary(.router) { namespace in
            try await namespace.perform { try Table.environment(uplink: AddressPlan.environment(1)).ensureHere() }
            func read() async throws -> SetElements {
                try await namespace.perform { try Nftables.elementsHere(of: EnvironmentIntercepts.collections, in: "kiln") }
            }
            for _ in 0..<40 {
                let present = try await read()
                let before = EnvironmentIntercepts(present)
                let wanted = Self.intercepts(&random, after: before)
                let services = (0..<Int.random(in: 0...5)).map { _ in
                    let index = Int.random(in: 1...1000)
                    return RoutedService(
                        index: index, containers: (1...Int.random(in: 1...4)).map { AddressPlan.containerIndex(index, replica: $0) })
                }
                let others = try await namespace.perform { try Nftables.elementsHere(of: ServiceMaps.collections, in: "kiln") }
                let script =
                    (wanted.changes(from: present) + ServiceMaps.elements(services).changes(from: others, table: "kiln"))
                    .joined(separator: "\n")
                guard !script.isEmpty else { continue }
                try await Nftables.check(script, in: namespace)
                #expect(try await read() == present, "a check changes nothing")
                try await Nftables.apply(script, in: namespace)
                let found = try await read()
                #expect(EnvironmentIntercepts(found) == wanted)
                #expect(wanted.changes(from: found).isEmpty)
                let zones = EnvironmentIntercepts(found).zones
                for key in wanted.active where key.port.transport == .udp {
                    let place = try #require(wanted.leases[key]?.place)
                    #expect(zones[place] == wanted.zones[place] && zones[place] != nil, "what is read back is what was allotted")
                }
                for place in Self.places {
                    if let zone = before.zones[place] { #expect(zones[place] == zone, "a place keeps its zone when it is left for a while") }
                }
            }
        }
    }

    @Test func noTwoPlacesShareAZone() {
        var zones = ExchangeZones()
        for place in Self.places + Self.places { zones.allot(place) }
        #expect(Set(Self.places.map { zones[$0] }) == Set((1...UInt16(Self.places.count)).map { $0 }))
        let name = EnvironmentIntercepts.places.name
        let listing = "\tmap \(name) {\n\t\telements = { 1 : 198.19.0.9 . 1, 2 timeout 1h expires 59m : 198.19.0.9 . 2, 0 : 198.19.0.9 . 3 }\n\t}\n"
        var read = ExchangeZones(SetElements(names: [name], listing: listing))
        let others = (1...3).map { Place(address: AddressPlan.workspace(9), port: $0) }
        #expect(others.map { read[$0] } == [1, 2, nil], "what is only reserved counts, what nobody of ours wrote does not")
        read.allot(Self.places[0])
        #expect(read[Self.places[0]] == 3)
    }

    @Test func aWorkspacesRulesComeBackToo() async throws {
        var random = SystemRandomNumberGenerator()
        try await NetworkNamespace.temporary { namespace in
            try await namespace.perform { try Table.workspace.ensureHere() }
            func read() async throws -> SetElements { try await namespace.perform { try WorkspaceRules.readElements(in: namespace) } }
            let holder = AddressPlan.workspace(1)
            for _ in 0..<40 {
                let intercepts = Self.intercepts(&random)
                let targets = intercepts.leases(of: holder).map(\.intercept.targetPort)
                let listening = ListenerTable(onLoopback: Set(targets.filter { _ in Bool.random(using: &random) }))
                let rules = WorkspaceRules(intercepts, of: holder, listening: listening)
                let before = try await read()
                for script in [rules.additions(to: before), rules.removals(from: before)] where !script.isEmpty {
                    try await Nftables.check(script.joined(separator: "\n"), in: namespace)
                    try await Nftables.apply(script.joined(separator: "\n"), in: namespace)
                }
                let after = try await read()
                #expect(after == rules.elements)
                #expect(rules.additions(to: after).isEmpty && rules.removals(from: after).isEmpty)
                // Only what remote callers came by stays a moment, and nothing that contradicts what is there now.
                for (name, leaving) in after.leaving {
                    #expect(leaving.keys.allSatisfy { $0.hasPrefix("\(holder) . ") || name == "places" })
                    #expect(after.keys(of: name).isDisjoint(with: leaving.keys))
                }
            }
        }
    }

    @Test func aMarkTellsOnePortFromAllOthers() throws {
        #expect(InterceptKey(1, ServicePort(8080)).mark == 0x0002_1f90)
        #expect(InterceptKey(1, ServicePort(8080, .udp)).mark == 0x0003_1f90)
        #expect(InterceptKey(AddressPlan.maximumIndex, ServicePort(65535, .udp)).mark == 0xfa01_ffff)
        var random = SystemRandomNumberGenerator()
        let keys = Set((0..<5000).map { _ in Self.key(&random, indexes: 1...AddressPlan.maximumIndex, ports: 1...65535) })
        #expect(Set(keys.map(\.mark)).count == keys.count && !keys.map(\.mark).contains(0))
        for key in keys { #expect(InterceptKey(element: key.element) == key) }
        #expect(InterceptKey(element: "198.18.0.1 . 17 . 53") == InterceptKey(1, ServicePort(53, .udp)), "the protocol by its number")
        for text in ["", "198.18.0.0 . tcp . 1", "198.18.128.1 . tcp . 80", "10.0.0.1 . tcp . 80", "198.18.0.1 . icmp . 80", "198.18.0.1 . tcp . 0"] {
            #expect(InterceptKey(element: text) == nil, "\(text)")
        }
    }

    /// nft 1.0.6 prints many elements to a line; newer ones may print one, and what belongs to each.
    @Test func listingsOfOtherVersionsAreRead() {
        let listing = """
            table ip kiln {
            \tmap intercepts {
            \t\ttypeof ip daddr . ip protocol . th dport : ip daddr . th dport
            \t\tflags timeout
            \t\telements = {
            \t\t\t198.18.0.1 . tcp . 80 : 198.19.0.1 . 3000,
            \t\t\t198.18.0.2 . udp . 53 counter packets 3 bytes 400 : 198.19.0.1 . 3001,
            \t\t\t198.18.0.3 . tcp . 80 timeout 2s expires 1s200ms : 198.19.0.1 . 3002
            \t\t}
            \t}

            \tset traffic {
            \t\ttype mark
            \t\tcounter
            \t\telements = { 0x21f90 counter packets 7 bytes 420, 0x00031f90 counter packets 0 bytes 0 }
            \t}

            \tset empty {
            \t\ttype mark
            \t}

            \tset last {
            \t\ttype mark
            \t\telements = { 0x00000001 }
            \t}
            }
            """
        let elements = SetElements(names: ["intercepts", "traffic", "empty", "last", "absent"], listing: listing)
        #expect(
            elements.values == [
                "intercepts": ["198.18.0.1 . tcp . 80": "198.19.0.1 . 3000", "198.18.0.2 . udp . 53": "198.19.0.1 . 3001"],
                "traffic": ["0x00021f90": "", "0x00031f90": ""], "empty": [:], "last": ["0x00000001": ""], "absent": [:],
            ])
        #expect(elements.leaving == ["intercepts": ["198.18.0.3 . tcp . 80": "198.19.0.1 . 3002"]])
        #expect(elements.counters["traffic"]?["0x00021f90"] == .init(packets: 7, bytes: 420))
        #expect(elements.counters["intercepts"]?["198.18.0.2 . udp . 53"] == .init(packets: 3, bytes: 400))
    }

    @Test func aSwitchIsWhatMovesNewConnections() throws {
        let (first, second) = (AddressPlan.workspace(1), AddressPlan.workspace(2))
        let intercept = try WorkspaceIntercept(serviceIndex: 1, port: ServicePort(80), target: 3000)
        var intercepts = EnvironmentIntercepts()
        intercepts.replace(with: [intercept], of: first)
        #expect(intercepts.states(of: first).map(\.isOn) == [false])
        intercepts.review(first, listening: [ServicePort(3000, .udp), ServicePort(80)])
        #expect(intercepts.active.isEmpty)
        intercepts.review(first, listening: [ServicePort(3000)])
        #expect(intercepts.active == [intercept.key])
        // The same again changes nothing; the other one's review neither.
        let before = intercepts
        intercepts.replace(with: [intercept], of: first)
        intercepts.review(second, listening: [])
        #expect(intercepts == before)
        intercepts.replace(with: [intercept], of: second)
        #expect(intercepts.leases(of: first).isEmpty && intercepts.active.isEmpty, "it changes hands as a whole")
        intercepts.replace(with: [], of: first)
        #expect(intercepts.leases(of: second).count == 1)
        intercepts.replace(with: [], of: second)
        #expect(intercepts == EnvironmentIntercepts())
    }

    // MARK: - Random ones

    private static func key(_ random: inout some RandomNumberGenerator, indexes: ClosedRange<Int>, ports: ClosedRange<UInt16>) -> InterceptKey {
        InterceptKey(.random(in: indexes, using: &random), ServicePort(.random(in: ports, using: &random), Bool.random(using: &random) ? .tcp : .udp))
    }

    /// Wherever `intercepts` may lead.
    private static let places = (1...3).flatMap { number in
        (UInt16(3000)...3003).map { Place(address: AddressPlan.workspace(number), port: $0) }
    }

    /// Of three workspaces, few enough keys and targets that they meet.
    private static func intercepts(
        _ random: inout some RandomNumberGenerator, after before: EnvironmentIntercepts = EnvironmentIntercepts()
    ) -> EnvironmentIntercepts {
        var intercepts = before
        for number in 1...3 {
            let keys = Set((0..<Int.random(in: 0...6, using: &random)).map { _ in key(&random, indexes: 1...4, ports: 1...5) })
            let wanted = keys.map { key in
                try! WorkspaceIntercept(
                    serviceIndex: key.serviceIndex, port: key.port, target: .random(in: 3000...3003, using: &random), cut: .random(using: &random),
                    fallback: .random(using: &random))
            }
            intercepts.replace(with: wanted, of: AddressPlan.workspace(number))
            let listening = Set(
                (UInt16(3000)...3003).filter { _ in Bool.random(using: &random) }.flatMap { [ServicePort($0), ServicePort($0, .udp)] })
            intercepts.review(AddressPlan.workspace(number), listening: listening)
        }
        return intercepts
    }
}
