import Glibc
import KilnModel

@testable import LinuxNetwork

/// A host and an internet in namespaces of their own, and one instance plugged into that host. Nothing touches the machine's own network.
///
/// The internet is 203.0.113.10, the host 203.0.113.1; beyond the host also lies 169.254.169.254, where clouds keep their metadata.
final class World: Sendable {
    static let internetAddress = IPv4Address(203, 0, 113, 10)
    static let hostAddress = IPv4Address(203, 0, 113, 1)
    static let metadata = IPv4Address(169, 254, 169, 254)

    let network: InstanceNetwork
    let host: NetworkNamespace
    let internet: NetworkNamespace

    private init(network: InstanceNetwork, host: NetworkNamespace, internet: NetworkNamespace) {
        self.network = network
        self.host = host
        self.internet = internet
    }

    /// Builds a world, runs `body` in it, takes everything away again.
    static func with(_ body: (World) async throws -> Void) async throws {
        let tag = hexadecimal()
        let host = NetworkNamespace("ktest-\(tag)-host")
        let internet = NetworkNamespace("ktest-\(tag)-net")
        let world = World(network: try network(tag: tag, host: host), host: host, internet: internet)
        do {
            try await world.build()
            try await body(world)
        } catch {
            try await world.demolish()
            throw error
        }
        try await world.demolish()
    }

    /// A second instance on the same host.
    func neighbour() throws -> InstanceNetwork {
        let other = (network.instance.slot - 8 + 1) % 24 + 8
        return InstanceNetwork(instance: try Instance(name: Name("u\(Self.hexadecimal())"), slot: other), host: host)
    }

    static func hexadecimal() -> String {
        let digits = String(UInt16.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }

    private static func network(tag: String, host: NetworkNamespace) throws -> InstanceNetwork {
        InstanceNetwork(instance: try Instance(name: Name("t\(tag)"), slot: Int.random(in: 8...31)), host: host)
    }

    private func build() async throws {
        // As hosts are: forwarding off, no filter. The router's verbs have to see to it.
        try await host.create(.container)
        try await internet.create(.router)
        let plug = Plug(
            leaf: host, leafInterface: "ext0", hub: internet, hubInterface: "host0", address: Self.hostAddress,
            gateway: IPv4Address(203, 0, 113, 254),
            leafAlias: "way out", hubAlias: "host", destinations: [.init(prefix: .everywhere)])
        try await network.change { try plug.ensure() }
        try await internet.perform {
            let socket = try NetlinkSocket.route()
            let loopback = try socket.existingLink(named: "lo").index
            try socket.send([.replaceAddress(Self.internetAddress, link: loopback), .replaceAddress(Self.metadata, link: loopback)])
        }
    }

    private func demolish() async throws {
        try await network.purge()
        for namespace in [host, internet] where namespace.exists {
            try await network.change { [network] in try network.deleteVeths(in: namespace) }
            try await namespace.delete()
        }
    }

    /// Forgets all neighbours everywhere in this world: what works then does not rest on entries that expire.
    func flushNeighbours() async throws {
        for namespace in try NetworkNamespace.list(prefix: network.instance.prefix) + [host, internet] where namespace.exists {
            try await NeighbourTable.flush(in: namespace)
        }
    }
}
