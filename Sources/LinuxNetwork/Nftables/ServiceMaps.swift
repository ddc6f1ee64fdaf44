import KilnModel

/// A service whose container is running, as an environment's maps need it.
public struct RoutedService: Sendable, Hashable {
    /// As in `Service.addressIndex`.
    public let index: Int

    public init(index: Int) { self.index = index }
}

/// What an environment translates for its services, whatever is intercepted. Pure.
enum ServiceMaps {
    /// Virtual address → container: every port with its number kept.
    static let addresses = Table.Collection(keyword: "map", name: "addresses", type: "ipv4_addr : ipv4_addr")
    /// Pairs of the same address: a service that calls its own name.
    static let own = Table.Collection(keyword: "set", name: "own", type: "ipv4_addr . ipv4_addr")
    static let collections = [addresses, own]

    static func elements(_ services: [RoutedService]) -> SetElements {
        var elements = SetElements(collections.map(\.name))
        for service in services {
            let container = AddressPlan.container(service.index)
            elements[addresses.name, "\(AddressPlan.virtual(service.index))"] = "\(container)"
            elements[own.name, "\(container) . \(container)"] = ""
        }
        return elements
    }

    /// Virtual addresses that one of the two translates, and the other not or to somewhere else.
    static func addressesChanged(from old: SetElements, to new: SetElements) -> Set<IPv4Address> {
        let keys = old.keys(of: addresses.name).union(new.keys(of: addresses.name))
        return Set(keys.filter { old[addresses.name, $0] != new[addresses.name, $0] }.compactMap { IPv4Address($0) })
    }
}
