import KilnModel

/// Who intercepts what in an environment, as its table records it. Pure.
///
/// The record of an intercept (its lease) and the element that switches the traffic lie in one table, so that one transaction changes both:
/// a crash leaves the old or the new. A workspace's own table follows from it.
struct EnvironmentIntercepts: Sendable, Equatable {
    struct Lease: Sendable, Hashable {
        /// The workspace's.
        var holder: IPv4Address
        var intercept: WorkspaceIntercept

        var place: Place { Place(address: holder, port: intercept.target) }
    }

    private(set) var leases: [InterceptKey: Lease] = [:]
    /// Those whose traffic goes to the lease's holder.
    private(set) var active: Set<InterceptKey> = []
    /// Which conntrack zone exchanges of UDP that go to a place are tracked in.
    private(set) var zones = ExchangeZones()

    /// The leases of one workspace, in order.
    func leases(of holder: IPv4Address) -> [Lease] {
        leases.filter { $0.value.holder == holder }.sorted { $0.key < $1.key }.map(\.value)
    }

    func states(of holder: IPv4Address, listening: Set<ServicePort> = []) -> [InterceptState] {
        leases(of: holder).map(\.intercept).map {
            InterceptState(intercept: $0, isOn: active.contains($0.key), hasListener: listening.contains($0.targetPort))
        }
    }

    /// Makes exactly these the leases of `holder`; one that another workspace has changes hands, as a whole.
    mutating func replace(with wanted: [WorkspaceIntercept], of holder: IPv4Address) {
        remove { $0.holder == holder && !wanted.map(\.key).contains($0.intercept.key) }
        for intercept in wanted {
            if let old = leases[intercept.key], old.holder != holder { active.remove(intercept.key) }
            leases[intercept.key] = Lease(holder: holder, intercept: intercept)
        }
    }

    mutating func remove(where isGone: (Lease) -> Bool) {
        leases = leases.filter { !isGone($0.value) }
        active = active.filter { leases[$0] != nil }
    }

    /// Switches each lease of `holder` on or off, by what listens in its workspace.
    mutating func review(_ holder: IPv4Address, listening: Set<ServicePort>) {
        for (key, lease) in leases where lease.holder == holder {
            if !lease.intercept.fallback || listening.contains(lease.intercept.targetPort) { active.insert(key) } else { active.remove(key) }
            if key.port.transport == .udp, active.contains(key) { zones.allot(lease.place) }
        }
    }

    /// Two that send the same traffic to the same places are the same, by whichever zones.
    static func == (lhs: EnvironmentIntercepts, rhs: EnvironmentIntercepts) -> Bool { lhs.leases == rhs.leases && lhs.active == rhs.active }
}

// MARK: - In nft's notation

extension EnvironmentIntercepts {
    /// The record, which no rule refers to.
    static let leases = Table.Collection(keyword: "map", name: "leases", type: "\(keyType) : ipv4_addr . inet_service . mark")
    /// Virtual address and port → workspace's address and port: with TCP, an element here is the switch.
    static let intercepts = Table.Collection(keyword: "map", name: "intercepts", type: "\(keyType) : ipv4_addr . inet_service")
    /// Virtual address and port → zone: with UDP, an element here is the switch.
    static let zoned = Table.Collection(
        keyword: "map", name: "zoned", type: "ip daddr . ip protocol . th dport : ct original zone", isTypeof: true, options: "flags timeout;")
    /// Zone → workspace's address and port.
    static let places = Table.Collection(
        keyword: "map", name: "places", type: "ct original zone : ip daddr . udp dport", isTypeof: true, options: "flags timeout;")
    /// Goes in and out with the switch: connections that the original finishes carry no mark.
    static let marks = Table.Collection(keyword: "map", name: "marks", type: "\(keyType) : mark")
    /// Count each connection once, and each packet.
    static let connections = Table.Collection(keyword: "set", name: "connections", type: "mark", options: "counter;")
    static let traffic = Table.Collection(keyword: "set", name: "traffic", type: "mark", options: "counter;")
    static let collections = [leases, intercepts, zoned, places, marks, connections, traffic]
    /// Packets write it. Without a bound one caller could fill the kernel's memory.
    static let callers = Table.Collection(keyword: "set", name: "callers", type: "ipv4_addr . mark", options: "flags dynamic; size 4096; counter;")

    static let keyType = "ipv4_addr . inet_proto . inet_service"

    private enum Flag {
        static let cut: UInt32 = 1
        static let fallback: UInt32 = 2
    }

    var elements: SetElements {
        var elements = SetElements(Self.collections.map(\.name))
        for (key, lease) in leases {
            let flags = (lease.intercept.cut ? Flag.cut : 0) | (lease.intercept.fallback ? Flag.fallback : 0)
            elements[Self.leases.name, key.element] = "\(lease.holder) . \(lease.intercept.target) . \(SetElements.mark(flags))"
            elements[Self.connections.name, SetElements.mark(key.mark)] = ""
            elements[Self.traffic.name, SetElements.mark(key.mark)] = ""
            guard active.contains(key) else { continue }
            elements[Self.marks.name, key.element] = SetElements.mark(key.mark)
            guard key.port.transport == .udp, let zone = zones[lease.place] else {
                elements[Self.intercepts.name, key.element] = lease.place.element
                continue
            }
            elements[Self.zoned.name, key.element] = "\(zone)"
            elements[Self.places.name, "\(zone)"] = lease.place.element
        }
        return elements
    }

    /// The commands that lead here from `current`. A place keeps its zone for as long as an exchange may live that nobody sends on.
    func changes(from current: SetElements) -> [String] {
        let (elements, table) = (elements, Table.inNamespace)
        return elements.additions(to: current, table: table)
            + elements.removals(from: current, table: table, grace: (ExchangeZones.reservation, { name, _ in name == Self.places.name }))
    }

    /// Reads the record back. What nobody of ours wrote is left out, and so are switches that lead elsewhere than their lease.
    init(_ elements: SetElements) {
        zones = ExchangeZones(elements)
        for key in elements.keys(of: Self.leases.name) {
            guard let name = InterceptKey(element: key), let value = elements[Self.leases.name, key], let lease = Self.lease(name, value) else {
                continue
            }
            leases[name] = lease
            let isSwitched =
                switch name.port.transport {
                case .tcp: elements[Self.intercepts.name, key] == lease.place.element
                case .udp: elements[Self.zoned.name, key].flatMap { elements[Self.places.name, $0] } == lease.place.element
                }
            if isSwitched { active.insert(name) }
        }
    }

    private static func lease(_ key: InterceptKey, _ value: String) -> Lease? {
        let parts = value.split(separator: " . ").map(String.init)
        guard parts.count == 3, let holder = IPv4Address(parts[0]), let target = UInt16(parts[1]),
            let flags = UInt32(parts[2].dropFirst(2), radix: 16),
            let intercept = try? WorkspaceIntercept(
                serviceIndex: key.serviceIndex, port: key.port, target: target, cut: flags & Flag.cut != 0, fallback: flags & Flag.fallback != 0)
        else { return nil }
        return Lease(holder: holder, intercept: intercept)
    }
}
