/// An IPv4 address in host byte order.
public struct IPv4Address: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let bits: UInt32

    public init(bits: UInt32) { self.bits = bits }

    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        bits = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    /// Parses dotted decimal; leading zeros are refused (`inet_aton` would read them as octal).
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard let octet = UInt8(part), String(octet) == part else { return nil }
            bits = bits << 8 | UInt32(octet)
        }
        self.bits = bits
    }

    public var description: String { "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)" }

    public static func < (lhs: IPv4Address, rhs: IPv4Address) -> Bool { lhs.bits < rhs.bits }
}

extension IPv4Address: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let address = IPv4Address(text) else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 40))” is not an IPv4 address.")
        }
        self = address
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// An IPv4 prefix such as `198.18.0.0/16`.
public struct IPv4Prefix: Hashable, Sendable, CustomStringConvertible {
    public let address: IPv4Address
    /// 0 to 32.
    public let length: Int

    public init(_ address: IPv4Address, _ length: Int) {
        precondition((0...32).contains(length))
        self.length = length
        self.address = IPv4Address(bits: length == 0 ? 0 : address.bits & ~UInt32(0) << (32 - length))
    }

    /// Parses `a.b.c.d/length`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(String(parts[0])), let length = Int(parts[1]), (0...32).contains(length) else { return nil }
        self.init(address, length)
    }

    public func contains(_ other: IPv4Address) -> Bool { IPv4Prefix(other, length) == self }

    public func overlaps(_ other: IPv4Prefix) -> Bool {
        let shorter = min(length, other.length)
        return IPv4Prefix(address, shorter) == IPv4Prefix(other.address, shorter)
    }

    public var description: String { "\(address)/\(length)" }
}

/// A transport protocol that services speak.
public enum TransportProtocol: String, Sendable, Codable, CaseIterable {
    case tcp, udp
}

/// A port of a service, as `ports` or `expose` names it (the container side).
public struct ServicePort: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    public let number: UInt16
    public let transport: TransportProtocol

    public init(_ number: UInt16, _ transport: TransportProtocol = .tcp) {
        self.number = number
        self.transport = transport
    }

    public var description: String { "\(number)/\(transport.rawValue)" }

    public static func < (lhs: ServicePort, rhs: ServicePort) -> Bool {
        (lhs.number, lhs.transport.rawValue) < (rhs.number, rhs.transport.rawValue)
    }
}

/// Which address belongs to whom, computed from small indexes that the store hands out. Pure.
///
/// The whole plan lies in 198.18.0.0/15, which RFC 2544 sets aside for benchmarks, so it meets no private range in use.
public enum AddressPlan {
    /// Everything that is ours.
    public static let all = IPv4Prefix(.init(198, 18, 0, 0), 15)
    /// Virtual addresses of services and their containers: what a connection routes into the environment.
    public static let services = IPv4Prefix(.init(198, 18, 0, 0), 16)
    public static let workspaces = IPv4Prefix(.init(198, 19, 0, 0), 17)
    /// The workspace and uplink half; routed into the environment too, which keeps callers' addresses.
    public static let callers = IPv4Prefix(.init(198, 19, 0, 0), 16)
    public static let environmentUplinks = IPv4Prefix(.init(198, 19, 128, 0), 17)
    /// Resolver in every workspace and service.
    public static let resolver = IPv4Address(169, 254, 1, 53)
    /// Gateway on the uplinks of workspaces and environments.
    public static let uplinkGateway = IPv4Address(169, 254, 1, 1)
    /// Gateway on all veths inside environments.
    public static let environmentGateway = IPv4Address(169, 254, 1, 2)

    /// Highest index of a workspace or environment (the last /24 of the uplinks belongs to the instances' links).
    public static let maximumIndex = 32_000

    /// A workspace's address for life; `index` from 1.
    public static func workspace(_ index: Int) -> IPv4Address { offset(workspaces, index) }
    /// The index whose `workspace` address it is; nil when it is no workspace's.
    public static func workspaceIndex(of address: IPv4Address) -> Int? {
        let index = Int(address.bits) - Int(workspaces.address.bits)
        return (1...maximumIndex).contains(index) ? index : nil
    }
    /// An environment router's uplink address; `index` from 1.
    public static func environment(_ index: Int) -> IPv4Address { offset(environmentUplinks, index) }
    /// A service's stable virtual address; `index` from 1 within its environment.
    public static func virtual(_ index: Int) -> IPv4Address { offset(services, index) }
    /// Containers of one service at most.
    public static let maximumReplicas = 32
    /// The number of a service's container among all of its environment, from 1; the first one's is the service's own `index`.
    /// - Parameter replica: from 1; beyond the first only of services with an index below 1024.
    public static func containerIndex(_ index: Int, replica: Int = 1) -> Int {
        precondition(replica == 1 || ((1..<replicaStride).contains(index) && (1...maximumReplicas).contains(replica)))
        return index + (replica - 1) * replicaStride
    }
    private static let replicaStride = 1024
    /// The virtual address of the service whose first container has this index; nil of a further one.
    public static func virtual(ofContainer index: Int) -> IPv4Address? { index < replicaStride ? virtual(index) : nil }
    /// The address of a container; `index` as `containerIndex` gives it.
    public static func container(_ index: Int) -> IPv4Address {
        precondition((1..<1 << 15).contains(index))
        return IPv4Address(bits: containers.address.bits + UInt32(index))
    }
    /// Addresses of services' containers.
    public static let containers = IPv4Prefix(.init(198, 18, 128, 0), 17)

    /// The two ends of the one veth between the host and an instance's router; `slot` 0 to 63.
    public static func link(slot: Int) -> (host: IPv4Address, router: IPv4Address) {
        let base = IPv4Address(198, 19, 255, 0).bits + UInt32(slot * 4)
        return (IPv4Address(bits: base + 1), IPv4Address(bits: base + 2))
    }

    private static func offset(_ prefix: IPv4Prefix, _ index: Int) -> IPv4Address {
        precondition((1...maximumIndex).contains(index))
        return IPv4Address(bits: prefix.address.bits + UInt32(index))
    }
}
