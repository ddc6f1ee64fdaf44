import KilnModel

/// A port of a service of one environment: what at most one workspace intercepts. Pure.
struct InterceptKey: Sendable, Hashable, Comparable {
    let serviceIndex: Int
    let port: ServicePort

    init(_ serviceIndex: Int, _ port: ServicePort) {
        self.serviceIndex = serviceIndex
        self.port = port
    }

    /// Reads `198.18.0.1 . tcp . 8080`, the protocol by name or by number.
    init?(element: String) {
        let parts = element.split(separator: " . ").map(String.init)
        guard parts.count == 3, let address = IPv4Address(parts[0]), let transport = TransportProtocol(nft: parts[1]), let number = UInt16(parts[2]),
            number > 0, address.bits > AddressPlan.services.address.bits
        else { return nil }
        let index = Int(address.bits - AddressPlan.services.address.bits)
        guard index <= AddressPlan.maximumIndex else { return nil }
        self.init(index, ServicePort(number, transport))
    }

    /// Where callers send.
    var address: IPv4Address { AddressPlan.virtual(serviceIndex) }

    /// As a key of maps.
    var element: String { "\(address) . \(port.transport.rawValue) . \(port.number)" }

    /// The connection mark of intercepted traffic, different for each key and never 0: fifteen bits of index, one of transport, sixteen of port.
    var mark: UInt32 { UInt32(serviceIndex) << 17 | (port.transport == .udp ? 1 << 16 : 0) | UInt32(port.number) }

    static func < (lhs: InterceptKey, rhs: InterceptKey) -> Bool { (lhs.serviceIndex, lhs.port) < (rhs.serviceIndex, rhs.port) }
}

extension TransportProtocol {
    /// IP protocol number.
    var number: UInt8 { self == .tcp ? 6 : 17 }

    init?(nft word: String) {
        switch word {
        case "tcp", "6": self = .tcp
        case "udp", "17": self = .udp
        default: return nil
        }
    }
}

extension WorkspaceIntercept {
    var key: InterceptKey { InterceptKey(serviceIndex, port) }
}
