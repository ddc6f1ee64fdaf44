import KilnModel

/// The files one dnsmasq of ours reads. Pure text from typed values.
struct NameServerConfiguration: Equatable {
    enum Role: Equatable {
        /// Asks whom the host's resolv.conf names.
        case forwarder
        /// Answers for an environment's names, and asks the forwarder at `upstream` for all others.
        case resolver(NameRecords, upstream: IPv4Address)
        /// Answers SRV questions that an environment's resolver hands on.
        case records(NameRecords)
    }

    var role: Role
    /// The only address it binds.
    var listenAddress: IPv4Address
    /// Directory of its files.
    var directory: String

    /// Where `records` listens, on 127.0.0.1 of the environment's namespace.
    static let recordsPort: UInt16 = 5353

    var configurationFile: String { "\(directory)/dnsmasq.conf" }
    /// Read again at SIGHUP, unlike `configurationFile`.
    var hostsFile: String { "\(directory)/hosts" }
    var serversFile: String { "\(directory)/servers" }

    var hosts: String { if case .resolver(let records, _) = role { records.hosts } else { "" } }
    var servers: String { if case .resolver(let records, _) = role { records.servers(recordsAt: Self.recordsPort) } else { "" } }

    /// The text of `configurationFile`; options as in dnsmasq(8).
    var text: String {
        var lines = [
            "listen-address=\(listenAddress)",
            "bind-interfaces",
            "no-hosts",
            // A name without a dot is ours or nobody's: never ask the outside for `postgres`.
            "domain-needed",
            "local-ttl=1",
            "cache-size=1000",
            "user=nobody",
            "pid-file=",
        ]
        switch role {
        case .forwarder: break
        case .resolver(_, let upstream):
            lines += ["no-resolv", "server=\(upstream)", "addn-hosts=\(hostsFile)", "servers-file=\(serversFile)"]
            // Nobody outside knows who has our addresses.
            lines += ["local=/18.198.in-addr.arpa/", "local=/19.198.in-addr.arpa/"]
        case .records: lines += ["no-resolv", "port=\(Self.recordsPort)"]
        }
        var text = lines.map { $0 + "\n" }.joined()
        if case .records(let records) = role { text += records.records }
        return text
    }
}
