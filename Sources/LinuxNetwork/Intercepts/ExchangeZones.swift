import KilnModel

/// Where intercepted traffic goes: a port of a workspace.
struct Place: Sendable, Hashable {
    let address: IPv4Address
    let port: UInt16

    init(address: IPv4Address, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `198.19.0.1 . 3000`.
    init?(element: String) {
        let parts = element.split(separator: " . ").map(String.init)
        guard parts.count == 2, let address = IPv4Address(parts[0]), let port = UInt16(parts[1]) else { return nil }
        self.init(address: address, port: port)
    }

    var element: String { "\(address) . \(port)" }
}

/// The conntrack zones of an environment's intercepted UDP exchanges, one for each place they go to. Pure.
///
/// An exchange never ends while its sender goes on, and conntrack keeps the way that its first datagram took. In another zone the same datagrams
/// are another exchange. So what switches is the zone, from one datagram to the next, and nothing has to be looked for and deleted, which
/// would take a walk through all that the machine tracks. Where a zone leads never changes: a datagram that the switch meets half-way goes
/// to the old place or to the new one, and spoils nothing. Zone 0 is the original's.
struct ExchangeZones: Sendable, Equatable {
    /// Seconds that a place keeps its zone after its last use, and another place cannot get it. Conntrack forgets an exchange
    /// after two minutes of silence (nf_conntrack_udp_timeout_stream).
    static let reservation = 3600
    /// A workspace tells its own two ends of a place apart by one more bit, and a zone has sixteen.
    static let last: UInt16 = 0x7fff

    private var zones: [Place: UInt16] = [:]

    init() {}

    /// Reads them from an environment's table, those that are only reserved among them.
    init(_ elements: SetElements) {
        let name = EnvironmentIntercepts.places.name
        for (zone, place) in (elements.leaving[name] ?? [:]).merging(elements.values[name] ?? [:], uniquingKeysWith: { $1 }) {
            if let zone = UInt16(zone), (1...Self.last).contains(zone), let place = Place(element: place) { zones[place] = zone }
        }
    }

    subscript(place: Place) -> UInt16? { zones[place] }

    /// Gives a place its zone, unless it has one: the first that is free.
    mutating func allot(_ place: Place) {
        guard zones[place] == nil else { return }
        let taken = Set(zones.values)
        // More places than zones within an hour are nobody's work: then two would share one.
        zones[place] = (1...Self.last).first { !taken.contains($0) } ?? Self.last
    }
}
