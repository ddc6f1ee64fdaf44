import KilnModel

/// The files one dnsmasq of ours reads. Pure text from typed values.
struct NameServerConfiguration: Equatable {
    /// Where it listens; the only address it binds.
    var listenAddress: IPv4Address
    /// Where it forwards to; nil: what the host's resolv.conf names.
    var upstream: IPv4Address?
    /// Directory of its files.
    var directory: String

    var configurationFile: String { "\(directory)/dnsmasq.conf" }
    var hostsFile: String { "\(directory)/hosts" }

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
        if let upstream {
            lines += ["no-resolv", "server=\(upstream)", "addn-hosts=\(hostsFile)"]
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The text of `hostsFile`: `NAME`, `NAME.ENVIRONMENT` and the further names of every service.
    static func hosts(of services: [Service], environment: Name) -> String {
        services.sorted { $0.name < $1.name }
            .map { service in
                let names = ["\(service.name)", "\(service.name).\(environment)"] + service.aliases.map(\.value)
                return "\(AddressPlan.virtual(service.addressIndex)) \(names.joined(separator: " "))\n"
            }
            .joined()
    }
}
