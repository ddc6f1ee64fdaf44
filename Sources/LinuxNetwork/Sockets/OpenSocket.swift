import CLinux
import Glibc
import KilnModel

/// A TCP or UDP socket of a namespace as sock_diag(7) shows it: IPv4, or IPv6 with a peer that is IPv4-mapped or none.
struct OpenSocket: Sendable {
    let transport: TransportProtocol
    let local: IPv4Address
    let localPort: UInt16
    let remote: IPv4Address
    /// 0 for a listener or an unconnected socket.
    let remotePort: UInt16
    let state: State
    /// Whether it takes IPv6 only.
    let isIPv6Only: Bool
    /// Bytes received and not yet read; bytes written and not yet acknowledged.
    let unread: Int
    let unsent: Int
    /// TCP's own account, when it was asked for.
    let activity: TCPActivity?
    let message: inet_diag_msg

    /// Of <net/tcp_states.h>. UDP sockets are `established` when connected, otherwise `closed`.
    enum State: UInt8, Sendable {
        case established = 1
        case synSent, synReceived, finWait1, finWait2, timeWait, closed, closeWait, lastAck, listening, closing, newSynReceived
    }
}

extension OpenSocket {
    /// Which sockets the kernel is asked for. Ports of 0 mean any.
    struct Query: Sendable {
        var transports: [TransportProtocol] = [.tcp, .udp]
        var states: [State]?
        var localPort: UInt16 = 0
        var remotePort: UInt16 = 0
        var hasActivity = false
    }

    /// The sockets in `namespace`, on the calling `DedicatedThread`.
    static func list(in namespace: NetworkNamespace, _ query: Query = Query()) throws -> [OpenSocket] {
        let socket = try namespace.enter { try NetlinkSocket(family: NETLINK_SOCK_DIAG) }
        return try query.transports.flatMap { transport in
            // An IPv6 socket of a dual-stack server carries IPv4 peers as ::ffff:a.b.c.d.
            try [AF_INET, AF_INET6].flatMap { family in
                try socket.dump(request(query, transport, family, namespace)).compactMap { OpenSocket($0, transport) }
            }
        }
    }

    private static func request(_ query: Query, _ transport: TransportProtocol, _ family: CInt, _ namespace: NetworkNamespace) -> NetlinkRequest {
        var header = inet_diag_req_v2()
        header.sdiag_family = UInt8(family)
        header.sdiag_protocol = transport.number
        header.idiag_ext = query.hasActivity ? UInt8(1 << (INET_DIAG_INFO - 1)) : 0
        header.idiag_states = query.states?.reduce(0) { $0 | 1 << UInt32($1.rawValue) } ?? UInt32.max
        header.id.idiag_sport = query.localPort.bigEndian
        header.id.idiag_dport = query.remotePort.bigEndian
        return NetlinkRequest(
            message: NetlinkMessage(type: Int(SOCK_DIAG_BY_FAMILY), header: header), action: "list the sockets in \(namespace)")
    }

    init?(_ reply: NetlinkReply, _ transport: TransportProtocol) {
        guard let message = reply.header(as: inet_diag_msg.self), let state = State(rawValue: message.idiag_state),
            let local = Self.address(withUnsafeBytes(of: message.id.idiag_src) { Array($0) }, family: message.idiag_family),
            let remote = Self.address(withUnsafeBytes(of: message.id.idiag_dst) { Array($0) }, family: message.idiag_family)
        else { return nil }
        let attributes = reply.attributes(after: MemoryLayout<inet_diag_msg>.size)
        self.init(
            transport: transport, local: local, localPort: UInt16(bigEndian: message.id.idiag_sport), remote: remote,
            remotePort: UInt16(bigEndian: message.id.idiag_dport), state: state,
            isIPv6Only: attributes.number(Int(INET_DIAG_SKV6ONLY), as: UInt8.self) == 1, unread: Int(message.idiag_rqueue),
            unsent: Int(message.idiag_wqueue), activity: attributes.bytes(Int(INET_DIAG_INFO)).flatMap(TCPActivity.init),
            message: message)
    }

    /// nil for an IPv6 address that is not IPv4-mapped.
    static func address(_ bytes: [UInt8], family: UInt8) -> IPv4Address? {
        if family == UInt8(AF_INET) { return IPv4Address(bytes[0], bytes[1], bytes[2], bytes[3]) }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        let isUnspecified = bytes.allSatisfy { $0 == 0 }
        return isMapped || isUnspecified ? IPv4Address(bytes[12], bytes[13], bytes[14], bytes[15]) : nil
    }
}
