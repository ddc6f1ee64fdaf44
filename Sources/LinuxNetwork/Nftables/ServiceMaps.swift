import KilnModel

/// A service whose containers take connections, as an environment's maps need it.
public struct RoutedService: Sendable, Hashable {
    /// As in `Service.addressIndex`.
    public let index: Int
    /// As `AddressPlan.containerIndex` has them: those that new connections are spread over.
    public let containers: [Int]

    /// - Parameter containers: nil: its first one alone.
    public init(index: Int, containers: [Int]? = nil) {
        self.index = index
        self.containers = containers ?? [index]
    }
}

/// What an environment translates for its services, whatever is intercepted. Pure.
enum ServiceMaps {
    /// Virtual address → its only container: every port with its number kept.
    static let addresses = Table.Collection(keyword: "map", name: "addresses", type: "ipv4_addr : ipv4_addr")
    /// Virtual address and a lot → one of several containers. A connection draws once; conntrack keeps it where it is.
    static let replicas = Table.Collection(keyword: "map", name: "replicas", type: "\(drawing) : ip daddr", isTypeof: true)
    /// Pairs of the same address: a service that calls its own name.
    static let own = Table.Collection(keyword: "set", name: "own", type: "ipv4_addr . ipv4_addr")
    static let collections = [addresses, replicas, own]

    /// What a new connection looks its container up by.
    ///
    /// By lot and not in turn: the turn would be one for all services, and two that are called by turns would each always get the same container.
    static let drawing = "ip daddr . numgen random mod \(lots)"
    /// Fair to all numbers up to 6, to within one in thirty to 32.
    static let lots = 120

    static func elements(_ services: [RoutedService]) -> SetElements {
        var elements = SetElements(collections.map(\.name))
        for service in services {
            let ends = service.containers.map(AddressPlan.container)
            for end in ends { elements[own.name, "\(end) . \(end)"] = "" }
            let address = AddressPlan.virtual(service.index)
            if ends.count == 1 {
                elements[addresses.name, "\(address)"] = "\(ends[0])"
            } else if !ends.isEmpty {
                for lot in 0..<lots { elements[replicas.name, "\(address) . \(lot)"] = "\(ends[lot % ends.count])" }
            }
        }
        return elements
    }

    /// Where new connections to each virtual address may go.
    static func ends(_ elements: SetElements) -> [IPv4Address: Set<IPv4Address>] {
        var ends: [IPv4Address: Set<IPv4Address>] = [:]
        for name in [addresses.name, replicas.name] {
            for key in elements.keys(of: name) {
                guard let address = key.split(separator: " ").first.flatMap({ IPv4Address(String($0)) }),
                    let end = elements[name, key].flatMap({ IPv4Address($0) })
                else { continue }
                ends[address, default: []].insert(end)
            }
        }
        return ends
    }
}
