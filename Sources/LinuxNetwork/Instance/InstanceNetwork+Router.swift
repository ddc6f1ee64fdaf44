import Glibc
import KilnModel

extension InstanceNetwork {
    /// Makes the router between the host and everything of this instance, and the host's rules for it. Turns the host's forwarding on.
    public func ensureRouter() async throws {
        try await change { try ensureRouterHere() }
    }

    /// Makes the namespace that image builds run in: the internet and names, nothing of ours.
    public func ensureBuild() async throws {
        try await change {
            try requireRouter()
            try ensureLeaf(.build, address: Self.buildAddress)
        }
    }

    /// The last address of the workspaces' range, past the highest index.
    static let buildAddress = IPv4Address(bits: AddressPlan.workspaces.address.bits + 0x7ffe)

    func ensureRouterHere() throws {
        let link = AddressPlan.link(slot: instance.slot)
        // The rules before the veth: there is no moment in which it is open.
        try host.enter {
            if try Sysctl.read("ipv4/ip_forward") != "1" { try Sysctl.write("ipv4/ip_forward", "1") }
            try Table.host(instance).ensureHere()
        }
        try routerNamespace.createHere(.router)
        try routerNamespace.enter { try Table.router(instance).ensureHere() }
        let plug = Plug(
            leaf: routerNamespace, leafInterface: "up0", hub: host, hubInterface: instance.hostInterface, address: link.router, gateway: link.host,
            leafAlias: "host", hubAlias: "router of \(instance.prefix)", keepsAddress: false, destinations: [.init(prefix: .everywhere)],
            unreachable: [AddressPlan.all])
        try plug.ensure()
        try host.enter { try Sysctl.write("ipv6/conf/\(instance.hostInterface)/disable_ipv6", "1", isOptional: true) }
    }

    /// Makes the router unless it is there: after a reboot any verb may be the first.
    func requireRouter() throws {
        if try !routerNamespace.exists || NetlinkSocket.route(in: routerNamespace).link(named: "up0") == nil { try ensureRouterHere() }
    }
}

extension IPv4Prefix {
    static let everywhere = IPv4Prefix(IPv4Address(bits: 0), 0)
}
