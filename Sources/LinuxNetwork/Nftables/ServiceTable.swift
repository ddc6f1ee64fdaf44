import KilnModel

extension Table {
    /// A service's first container: what it sends to its own address takes the way that all callers take, by the virtual one, and so reaches who
    /// intercepts. The address stays its own: a program may bind it, and others reach it there.
    ///
    /// Nothing else is tracked: a service's calls cost what they did.
    static func service(own: IPv4Address, virtual: IPv4Address) -> Table {
        Table(
            name: inNamespace,
            chains: [
                Chain(
                    name: "incoming", base: "filter hook prerouting priority raw; policy accept", rules: ["ip saddr != \(virtual) notrack"]),
                Chain(
                    name: "outgoing", base: "filter hook output priority raw; policy accept",
                    rules: ["ip saddr != \(own) notrack", "ip daddr != \(own) notrack"]),
                Chain(name: "own_calls", base: "nat hook output priority -100; policy accept", rules: ["ip daddr \(own) dnat to \(virtual)"]),
            ])
    }
}
