public import KilnModel

/// A service whose container is running, as an environment's maps need it.
public struct RoutedService: Sendable, Hashable {
    /// As in `Service.addressIndex`.
    public let index: Int
    /// Known ports; every other one is passed on as well.
    public let ports: [ServicePort]

    public init(index: Int, ports: [ServicePort]) {
        self.index = index
        self.ports = ports
    }
}

/// What an environment translates, as the elements of its two maps and its set, in nft's notation. Pure.
///
/// An intercept will be one element of `ports` with a workspace's address and port on the right.
struct ServiceMaps: Sendable, Equatable {
    static let ports = "ports"
    static let addresses = "addresses"
    static let own = "own"
    private static let names = [ports, addresses, own]

    /// Elements by the name of their map or set.
    private(set) var elements: [String: Set<String>]

    init(services: [RoutedService]) {
        elements = [Self.ports: [], Self.addresses: [], Self.own: []]
        for service in services {
            let virtual = AddressPlan.virtual(service.index)
            let container = AddressPlan.container(service.index)
            elements[Self.addresses]?.insert("\(virtual) : \(container)")
            elements[Self.own]?.insert("\(container) . \(container)")
            for port in service.ports {
                elements[Self.ports]?.insert("\(virtual) . \(port.transport.rawValue) . \(port.number) : \(container) . \(port.number)")
            }
        }
    }

    /// Reads what `list table` printed.
    init(listing: String) {
        elements = [:]
        for name in Self.names { elements[name] = Self.elements(of: name, in: listing) }
    }

    /// The commands that lead from `current` to these elements, for one transaction; nil when nothing differs.
    func changes(from current: ServiceMaps, table: String) -> String? {
        var lines: [String] = []
        for name in Self.names {
            let wanted = elements[name] ?? []
            let present = current.elements[name] ?? []
            // A map's element is deleted by its key; both halves of a change go into the same transaction.
            let gone = present.subtracting(wanted).map { $0.components(separatedBy: " : ")[0] }.sorted()
            let new = wanted.subtracting(present).sorted()
            if !gone.isEmpty { lines.append("delete element ip \(table) \(name) { \(gone.joined(separator: ", ")) }") }
            if !new.isEmpty { lines.append("add element ip \(table) \(name) { \(new.joined(separator: ", ")) }") }
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n") + "\n"
    }

    /// Virtual addresses that `current` translates and these maps do not, or to somewhere else.
    func addressesChanged(from current: ServiceMaps) -> Set<IPv4Address> {
        let gone = [Self.ports, Self.addresses].flatMap { (current.elements[$0] ?? []).subtracting(elements[$0] ?? []) }
        return Set(gone.compactMap { $0.split(separator: " ").first.flatMap { IPv4Address(String($0)) } })
    }

    private static func elements(of name: String, in listing: String) -> Set<String> {
        var isInside = false
        var text: String?
        for line in listing.split(separator: "\n") {
            let words = line.trimmed
            if words == "map \(name) {" || words == "set \(name) {" {
                isInside = true
            } else if isInside, words.hasPrefix("elements = {") {
                text = String(words.dropFirst("elements = {".count))
            } else if text != nil {
                text? += words
            }
            if isInside, let found = text, let end = found.firstIndex(of: "}") {
                return Set(found[..<end].split(separator: ",").map { $0.trimmed })
            }
            if isInside, words == "}" { return [] }
        }
        return []
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        guard let range = firstRange(of: separator) else { return [self] }
        return [String(self[..<range.lowerBound]), String(self[range.upperBound...])]
    }
}
