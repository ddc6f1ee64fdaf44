import Glibc
import KilnModel

/// A veth between a namespace (the leaf) and the one that routes for it (the hub), with addresses and routes at both ends.
///
/// The hub owns the gateway's address, the leaf its own, and neither is owned at both ends: ARP would be refused otherwise, though only
/// once the neighbours' entries have expired.
struct Plug {
    var leaf: NetworkNamespace
    var leafInterface: String
    var hub: NetworkNamespace
    var hubInterface: String
    var address: IPv4Address
    var gateway: IPv4Address
    /// What the leaf's end says it is; with it the veth counts as whole. The hub's end says who the leaf is.
    var leafAlias: String
    var hubAlias: String
    /// Whether the leaf's address lies on its loopback, from where it stays when the veth goes.
    var keepsAddress = true
    /// Whether the leaf's end carries translated packets to 127.0.0.1 (an intercept's).
    var localnet = false
    /// Where the leaf sends through the gateway, with the routes' metrics.
    var destinations: [Destination]
    /// What the leaf must not send anywhere else.
    var unreachable: [IPv4Prefix] = []

    struct Destination {
        let prefix: IPv4Prefix
        var metric: UInt32 = 0
    }

    /// The metric of `unreachable` routes: every other route goes first.
    static let lastMetric: UInt32 = 9999

    /// Makes the veth unless it is whole, then sets everything about it again: what is right stays undisturbed.
    func ensure() throws {
        let leafSocket = try NetlinkSocket.route(in: leaf)
        let hubSocket = try NetlinkSocket.route(in: hub)
        let (leafLink, hubLink) = try ends(leafSocket, hubSocket) ?? make(leafSocket, hubSocket)
        try hubSocket.send([
            .setLink(hubLink.index, isUp: true, alias: hubAlias),
            .replaceAddress(gateway, link: hubLink.index),
            .replaceRoute(.via(link: hubLink.index, to: IPv4Prefix(address, 32), source: nil)),
        ])
        let addressLink = keepsAddress ? try leafSocket.existingLink(named: "lo").index : leafLink.index
        var requests: [NetlinkRequest] = [
            .setLink(leafLink.index, isUp: true, localnet: localnet ? true : nil),
            .replaceAddress(address, link: addressLink),
            .replaceRoute(.via(link: leafLink.index, to: IPv4Prefix(gateway, 32), source: address)),
        ]
        // The refusals first: there is no moment in which our ranges follow the default route.
        requests += unreachable.map { .replaceRoute(.unreachable($0, metric: Self.lastMetric)) }
        requests += destinations.map {
            .replaceRoute(.via(gateway, link: leafLink.index, to: $0.prefix, source: address, metric: $0.metric))
        }
        try leafSocket.send(requests)
        // The end that came up first drops what it should send until the kernel has noticed the other, and whoever sent waits a second.
        try hubSocket.waitUntilRunning(hubInterface, in: hub)
        try leafSocket.waitUntilRunning(leafInterface, in: leaf)
    }

    /// Both ends, when they are each other's and marked as this plug's.
    private func ends(_ leafSocket: NetlinkSocket, _ hubSocket: NetlinkSocket) throws -> (leaf: Link, hub: Link)? {
        guard let leafLink = try leafSocket.link(named: leafInterface), let hubLink = try hubSocket.link(named: hubInterface),
            leafLink.alias == leafAlias, leafLink.peerIndex == hubLink.index, hubLink.peerIndex == leafLink.index
        else { return nil }
        return (leafLink, hubLink)
    }

    private func make(_ leafSocket: NetlinkSocket, _ hubSocket: NetlinkSocket) throws -> (leaf: Link, hub: Link) {
        try leafSocket.send([.deleteLink(named: leafInterface)])
        try hubSocket.send([.deleteLink(named: hubInterface)])
        let peer = try hub.open()
        try withExtendedLifetime(peer) {
            try leafSocket.send([.createVeth(leafInterface, peer: hubInterface, peerNamespace: peer.number)])
        }
        let leafLink = try leafSocket.existingLink(named: leafInterface)
        // At once, so that whoever finds the veth after a crash knows what it was for.
        try leafSocket.send([.setLink(leafLink.index, alias: leafAlias)])
        return (leafLink, try hubSocket.existingLink(named: hubInterface))
    }
}
