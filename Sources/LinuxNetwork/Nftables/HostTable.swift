import KilnModel

extension Table {
    /// The host's side of an instance: forwards what its router sends out, answers names, refuses everything else.
    ///
    /// It speaks of `Instance.hostInterface` only; the rest of the host's traffic passes by untouched.
    static func host(_ instance: Instance) -> Table {
        let link = AddressPlan.link(slot: instance.slot)
        let interface = "\"\(instance.hostInterface)\""
        return Table(
            name: instance.prefix,
            chains: [
                Chain(
                    name: "prerouting", base: "filter hook prerouting priority raw; policy accept",
                    rules: [
                        "iifname \(interface) ip saddr != \(link.router) drop",
                        // Hosts answer on every interface for any of their addresses: the forwarder would serve the neighbourhood.
                        "ip daddr \(link.host) iifname != { \(interface), \"lo\" } drop",
                    ]),
                Chain(
                    name: "from_router", base: nil,
                    rules: [
                        "ct state established,related accept",
                        "ip daddr \(link.host) udp dport 53 accept",
                        "ip daddr \(link.host) tcp dport 53 accept",
                    ] + refusing()),
                Chain(name: "input", base: "filter hook input priority filter; policy accept", rules: ["iifname \(interface) jump from_router"]),
                Chain(
                    name: "forward", base: "filter hook forward priority filter; policy accept",
                    rules: refusing("iifname \(interface) ip daddr { 169.254.0.0/16, \(AddressPlan.all) }") + [
                        // A narrower way out, a tunnel say, whose “fragmentation needed” gets lost somewhere would stall big answers.
                        "iifname \(interface) tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
                        "iifname \(interface) accept",
                        "oifname \(interface) ct state established,related accept",
                        "oifname \(interface) drop",
                    ]),
                Chain(
                    name: "postrouting", base: "nat hook postrouting priority srcnat; policy accept",
                    rules: ["ip saddr \(link.router) oifname != \(interface) masquerade"]),
            ])
    }
}
