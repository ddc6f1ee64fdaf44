import CLinux
import Glibc
import KilnModel

/// A TCP or UDP socket of a namespace, IPv4 or IPv6 with an IPv4-mapped peer.
struct OpenSocket: Sendable {
    let local: IPv4Address
    let remote: IPv4Address
    fileprivate let message: inet_diag_msg
    fileprivate let transport: CInt
}

/// Ends other processes' sockets as a reset would: blocked reads and writes fail at once with ECONNABORTED.
enum SocketDestroyer {
    /// Destroys the sockets in `namespace` that `isCondemned` picks, listeners among them. Needs a kernel with INET_DIAG_DESTROY.
    /// - Returns: how many there were.
    @discardableResult
    static func destroy(in namespace: NetworkNamespace, where isCondemned: (OpenSocket) -> Bool) throws -> Int {
        let socket = try namespace.enter { try NetlinkSocket(family: NETLINK_SOCK_DIAG) }
        var count = 0
        for transport in [CInt(IPPROTO_TCP), CInt(IPPROTO_UDP)] {
            // An IPv6 socket of a dual-stack server carries IPv4 peers as ::ffff:a.b.c.d.
            for family in [AF_INET, AF_INET6] {
                var header = inet_diag_req_v2()
                header.sdiag_family = UInt8(family)
                header.sdiag_protocol = UInt8(transport)
                header.idiag_states = UInt32.max
                let list = NetlinkRequest(
                    message: NetlinkMessage(type: Int(SOCK_DIAG_BY_FAMILY), header: header), action: "list the sockets in \(namespace)")
                let condemned = try socket.dump(list).compactMap { OpenSocket($0, transport: transport) }.filter(isCondemned)
                try socket.send(condemned.map { destruction(of: $0, in: namespace) })
                count += condemned.count
            }
        }
        return count
    }

    private static func destruction(of socket: OpenSocket, in namespace: NetworkNamespace) -> NetlinkRequest {
        var header = inet_diag_req_v2()
        header.sdiag_family = socket.message.idiag_family
        header.sdiag_protocol = UInt8(socket.transport)
        header.idiag_states = UInt32.max
        header.id = socket.message.id
        let message = NetlinkMessage(type: Int(SOCK_DESTROY), header: header)
        // It may have been closed meanwhile.
        return NetlinkRequest(message: message, action: "end a socket in \(namespace)", tolerated: [ENOENT])
    }
}

extension OpenSocket {
    fileprivate init?(_ reply: NetlinkReply, transport: CInt) {
        guard let message = reply.header(as: inet_diag_msg.self) else { return nil }
        let source = withUnsafeBytes(of: message.id.idiag_src) { Array($0) }
        let destination = withUnsafeBytes(of: message.id.idiag_dst) { Array($0) }
        guard let local = Self.address(source, family: message.idiag_family), let remote = Self.address(destination, family: message.idiag_family)
        else {
            return nil
        }
        self.init(local: local, remote: remote, message: message, transport: transport)
    }

    /// nil for an IPv6 address that is not IPv4-mapped.
    static func address(_ bytes: [UInt8], family: UInt8) -> IPv4Address? {
        if family == UInt8(AF_INET) { return IPv4Address(bytes[0], bytes[1], bytes[2], bytes[3]) }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        let isUnspecified = bytes.allSatisfy { $0 == 0 }
        return isMapped || isUnspecified ? IPv4Address(bytes[12], bytes[13], bytes[14], bytes[15]) : nil
    }
}
