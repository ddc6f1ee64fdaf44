public import KilnModel

/// What on a host stands in the way of an instance's network, with what mends it.
public enum HostConflicts {
    public struct Finding: Sendable, Hashable {
        /// `address-range`, `slot`, `forward-drop`, `input-drop`, `firewalld` or `legacy-iptables`.
        public let code: String
        /// What is in the way, and what will not work.
        public let message: String
        /// The command or change that mends it.
        public let mend: String
    }

    /// Looks at the host's routes and firewall. Changes nothing.
    /// - Throws: `KilnError` when they cannot be read.
    public static func check(_ instance: Instance) async throws -> [Finding] {
        try await check(instance, host: .host)
    }

    static func check(_ instance: Instance, host: NetworkNamespace) async throws -> [Finding] {
        try await DedicatedThread.run {
            let socket = try NetlinkSocket.route(in: host)
            let names = Dictionary(try socket.links().map { ($0.index, $0.name) }, uniquingKeysWith: { first, _ in first })
            let routes = try socket.routes().map { HostRoute(destination: $0.destination, interface: $0.link.flatMap { names[$0] } ?? "-") }
            let ruleset = try host.enter { try Nftables.listHere("list ruleset") }
            return addressFindings(instance, routes: routes) + FirewallFindings.all(instance, ruleset: ruleset)
                + FirewallFindings.legacy(instance, tables: try ProcNet.legacyTables(in: host))
        }
    }

    struct HostRoute: Sendable, Hashable {
        let destination: IPv4Prefix
        let interface: String
    }

    /// Pure. A route of less than eight bits is a default route in disguise (VPNs use 0.0.0.0/1): it holds nothing of its own here.
    static func addressFindings(_ instance: Instance, routes: [HostRoute]) -> [Finding] {
        let links = IPv4Prefix(AddressPlan.link(slot: 0).host, 24)
        let own = AddressPlan.link(slot: instance.slot)
        var findings: [Finding] = []
        for route in routes where route.destination.length >= 8 && route.destination.overlaps(AddressPlan.all) {
            if route.interface == instance.hostInterface { continue }
            let isLink = route.destination.length == 32 && links.contains(route.destination.address)
            if isLink, route.destination.address == own.host || route.destination.address == own.router {
                let finding = Finding(
                    code: "slot", message: "Slot \(instance.slot) is in use by another instance, whose link is \(route.interface).",
                    mend: "Choose another slot, from 0 to \(Instance.slotCount - 1).")
                if !findings.contains(finding) { findings.append(finding) }
            } else if !isLink {
                findings.append(
                    Finding(
                        code: "address-range",
                        message:
                            "The host has a route to \(route.destination) by \(route.interface). Kiln's networks use \(AddressPlan.all), so workspaces "
                            + "would not reach what lies there.",
                        mend: "Move that network to another range, or stop the program that made it (a VPN or proxy with a fake-IP range, often)."))
            }
        }
        return findings
    }
}
