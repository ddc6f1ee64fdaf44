import KilnModel

/// What the resolver of an environment knows by heart, as dnsmasq reads it. Pure text from typed values.
///
/// A service is known by its name and its aliases, each of several containers as `NAME-1` and so on unless something else has that name; all also
/// with `.ENVIRONMENT` behind. Every declared port has an SRV record (RFC 2782), `_8080._tcp.NAME`, and one with its name where it has
/// one: `_http._tcp.NAME`.
struct NameRecords: Equatable {
    private struct Entry: Equatable {
        var address: IPv4Address
        var names: [String]
        var ports: [(label: String, port: ServicePort)]

        static func == (lhs: Entry, rhs: Entry) -> Bool {
            lhs.address == rhs.address && lhs.names == rhs.names && lhs.ports.elementsEqual(rhs.ports) { $0.label == $1.label && $0.port == $1.port }
        }
    }

    private let entries: [Entry]

    init(services: [Service], environment: Name) {
        let taken = Set(services.flatMap { [$0.name.value] + $0.aliases.map { $0.value.lowercased() } })
        func names(_ name: String) -> [String] { [name, "\(name).\(environment)"] }
        var entries: [Entry] = []
        for service in services.sorted(by: { $0.name < $1.name }) {
            let ports = service.ports.map { (String($0.number), $0) } + (service.namedPorts ?? []).map { ($0.name.value, $0.port) }
            entries.append(
                Entry(
                    address: AddressPlan.virtual(service.addressIndex), names: ([service.name.value] + service.aliases.map(\.value)).flatMap(names),
                    ports: ports))
            guard service.replicas > 1 else { continue }
            for replica in service.containers {
                // Too long for a label, or somebody else's.
                guard let name = try? Name(replica.description), !taken.contains(name.value) else { continue }
                let index = AddressPlan.containerIndex(service.addressIndex, replica: replica.number)
                entries.append(Entry(address: AddressPlan.container(index), names: names(name.value), ports: ports))
            }
        }
        self.entries = entries
    }

    var hasPorts: Bool { entries.contains { !$0.ports.isEmpty } }

    /// Addresses, as in hosts(5).
    var hosts: String { entries.map { "\($0.address) \($0.names.joined(separator: " "))\n" }.joined() }

    /// Who answers for what (`servers-file` of dnsmasq(8)): SRV records are another process's, as only a start makes dnsmasq read them; all else
    /// below our names with dots is nobody's. Forwarded, a question for another type of record would be answered “no such name” by the outside,
    /// and musl would believe that of the address too.
    func servers(recordsAt port: UInt16) -> String {
        let owner = hasPorts ? "127.0.0.1#\(port)" : ""
        return entries.flatMap(\.names).map { name in
            let records = TransportProtocol.allCases.map { "server=/_\($0.rawValue).\(name)/\(owner)\n" }.joined()
            return (name.contains(".") ? "server=/\(name)/\n" : "") + records
        }
        .joined()
    }

    /// SRV records (`srv-host` of dnsmasq(8)).
    var records: String {
        entries.flatMap { entry in
            entry.names.map { name in
                TransportProtocol.allCases.map { "local=/_\($0.rawValue).\(name)/\n" }.joined()
                    + entry.ports.map { "srv-host=_\($0.label)._\($0.port.transport.rawValue).\(name),\(name),\($0.port.number)\n" }.joined()
            }
        }
        .joined()
    }
}
