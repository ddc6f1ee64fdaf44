import KilnModel

extension Table {
    /// What the table in each of Kiln's own namespaces is called.
    static let inNamespace = "kiln"

    /// The router between workspaces (`w…`), environments (`e…`) and the host (`up0`).
    static func router(_ instance: Instance) -> Table {
        let link = AddressPlan.link(slot: instance.slot)
        let plugged = #"iifname { "w*", "e*" }"#
        let dns = "meta l4proto { tcp, udp } th dport 53"
        return Table(
            name: inNamespace,
            chains: [
                sources,
                Chain(
                    name: "translate", base: "nat hook prerouting priority dstnat; policy accept",
                    rules: ["\(plugged) ip daddr \(AddressPlan.resolver) \(dns) dnat to \(link.host)"]),
                noRoute(from: plugged),
                Chain(
                    name: "forward", base: "filter hook forward priority filter; policy drop",
                    rules: [
                        "ct state established,related accept",
                        "iifname \"up0\" drop",
                        "\(plugged) oifname \"up0\" ip daddr \(link.host) \(dns) accept",
                        // 169.254.169.254, the metadata of cloud machines, among them.
                    ] + refusing("\(plugged) ip daddr { 169.254.0.0/16, \(AddressPlan.all) }")
                        + ["\(plugged) oifname \"up0\" accept"] + refusing(plugged)),
                Chain(name: "input", base: "filter hook input priority filter; policy drop", rules: ownInput + refusing(plugged)),
                Chain(
                    name: "postrouting", base: "nat hook postrouting priority srcnat; policy accept",
                    rules: ["oifname \"up0\" snat to \(link.router)"]),
            ])
    }

    /// A workspace: nothing comes in but answers and what an intercept translated.
    static let workspace = Table(
        name: inNamespace, collections: WorkspaceRules.collections,
        chains: [
            Chain(
                name: "incoming_exchanges", base: "filter hook prerouting priority raw; policy accept",
                rules: ["iifname \"\(connection)\" \(zoning(WorkspaceRules.zoned))"]),
            Chain(
                name: "own_exchanges", base: "filter hook output priority raw; policy accept",
                rules: ["oifname \"\(connection)\" \(zoning(WorkspaceRules.zoned))"]),
            Chain(
                name: "prerouting", base: "nat hook prerouting priority dstnat; policy accept",
                rules: [
                    "iifname \"\(connection)\" \(dnat(WorkspaceRules.intercepts))",
                    "iifname \"\(connection)\" \(dnat(zone: WorkspaceRules.places))",
                ]),
            Chain(
                name: "output", base: "nat hook output priority -100; policy accept",
                rules: [
                    "meta l4proto udp ct original zone 0 accept",
                    "oifname \"\(connection)\" \(marking(WorkspaceRules.marks))",
                    "ct mark @\(WorkspaceRules.connections.name)",
                    "oifname \"\(connection)\" \(dnat(WorkspaceRules.intercepts))",
                    "oifname \"\(connection)\" \(dnat(zone: WorkspaceRules.places))",
                ]),
            Chain(
                name: "input", base: "filter hook input priority filter; policy drop",
                // Both directions of its own calls come in by the loopback.
                rules: ["ct mark @\(WorkspaceRules.traffic.name)"] + ownInput + [
                    "ct status dnat accept",
                    "iifname \"\(connection)\" ip daddr . ip protocol . th dport @\(WorkspaceRules.open.name) accept",
                ] + refusing()),
        ])

    /// A workspace's end of its connection.
    static let connection = "env0"

    /// Of the type of service (RFC 2474), from its unassigned values: what Kiln's own probes carry, so that nobody's traffic counts them.
    static let probe: UInt8 = 0x2b

    private static func dnat(_ map: Collection) -> String { "dnat ip to ip daddr . ip protocol . th dport map @\(map.name)" }

    /// Before conntrack looks for the connection: which of the exchanges with these ends a datagram belongs to.
    private static func zoning(_ map: Collection) -> String {
        "meta l4proto udp ct original zone set ip daddr . ip protocol . th dport map @\(map.name)"
    }

    /// By the zone alone: the switch may have changed since `zoning`.
    private static func dnat(zone map: Collection) -> String { "meta l4proto udp dnat ip to ct original zone map @\(map.name)" }

    /// Only the first packet of a connection sees it, as all of a nat chain.
    private static func marking(_ map: Collection) -> String {
        "ip dscp != \(probe) ct mark set ip daddr . ip protocol . th dport map @\(map.name)"
    }

    /// An environment: between its services (`s…`), connected workspaces (`w…`) and its way out (`up0`, with the address `uplink`).
    static func environment(uplink: IPv4Address) -> Table {
        let inside = #"iifname { "w*", "s*" }"#
        return Table(
            name: inNamespace,
            collections: EnvironmentIntercepts.collections + [EnvironmentIntercepts.callers] + ServiceMaps.collections,
            chains: [
                sources,
                Chain(
                    name: "exchanges", base: "filter hook prerouting priority raw; policy accept",
                    rules: [zoning(EnvironmentIntercepts.zoned)]),
                Chain(
                    name: "originals", base: nil,
                    rules: [
                        "dnat to ip daddr map @\(ServiceMaps.addresses.name)",
                        "dnat to \(ServiceMaps.drawing) map @\(ServiceMaps.replicas.name)",
                    ]),
                Chain(
                    name: "translate", base: "nat hook prerouting priority dstnat; policy accept",
                    rules: [
                        "meta l4proto udp ct original zone 0 goto originals",
                        marking(EnvironmentIntercepts.marks),
                        "ct mark @\(EnvironmentIntercepts.connections.name) update @\(EnvironmentIntercepts.callers.name) { ip saddr . ct mark }",
                        dnat(EnvironmentIntercepts.intercepts),
                        dnat(zone: EnvironmentIntercepts.places),
                        "goto originals",
                    ]),
                noRoute(from: inside),
                Chain(
                    name: "forward", base: "filter hook forward priority filter; policy drop",
                    rules: [
                        "ct mark @\(EnvironmentIntercepts.traffic.name)",
                        "ct state established,related accept",
                        "iifname \"up0\" drop",
                        "ct status dnat accept",
                        "\(inside) ip daddr \(AddressPlan.containers) accept",
                        "iifname \"s*\" oifname \"up0\" ip daddr != { 169.254.0.0/16, \(AddressPlan.all) } accept",
                    ] + refusing()),
                Chain(
                    name: "input", base: "filter hook input priority filter; policy drop",
                    rules: ownInput + [
                        "\(inside) ip daddr \(AddressPlan.resolver) meta l4proto { tcp, udp } th dport 53 accept"
                    ] + refusing(inside)),
                Chain(
                    name: "postrouting", base: "nat hook postrouting priority srcnat; policy accept",
                    rules: [
                        // A service that calls its own name would answer itself past the translation; nft cannot compare two fields.
                        "ip saddr . ip daddr @\(ServiceMaps.own.name) snat to \(AddressPlan.environmentGateway)",
                        "oifname \"up0\" snat to \(uplink)",
                    ]),
            ])
    }

    private static let ownInput = ["ct state established,related accept", "iif lo accept"]

    /// Each veth only with its peer's address: the way back must lead out of the interface that the packet came in by.
    private static let sources = Chain(
        name: "sources", base: "filter hook prerouting priority raw; policy accept", rules: ["iif != lo fib saddr . iif oif missing drop"])

    /// Refuses what has no way after translation, such as a service without a running container. The kernel's own answer to an
    /// `unreachable` route is limited in rate, and the caller would hang.
    private static func noRoute(from interfaces: String) -> Chain {
        Chain(
            // (“Type” looks at the local table only: unicast is whatever is not an address of this namespace.)
            name: "no_route", base: "filter hook prerouting priority dstnat + 10; policy accept",
            rules: refusing("\(interfaces) fib daddr type unicast fib daddr oif missing", icmp: "port-unreachable"))
    }
}
