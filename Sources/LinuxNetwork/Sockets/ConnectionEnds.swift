import CLinux
import Glibc
import KilnModel

/// What tells a TCP socket from all others of its namespace.
struct ConnectionEnds: Sendable, Hashable {
    var local: IPv4Address
    var localPort: UInt16
    var remote: IPv4Address
    var remotePort: UInt16

    init(local: IPv4Address, localPort: UInt16, remote: IPv4Address, remotePort: UInt16) {
        self.local = local
        self.localPort = localPort
        self.remote = remote
        self.remotePort = remotePort
    }

    /// The caller's, of a tracked connection; nil when it has no ports.
    init?(calling entry: Conntrack.Entry) {
        guard let localPort = entry.sourcePort, let remotePort = entry.destinationPort else { return nil }
        self.init(local: entry.source, localPort: localPort, remote: entry.destination, remotePort: remotePort)
    }

    /// That of whoever answers.
    init?(answering entry: Conntrack.Entry) {
        guard let localPort = entry.replySourcePort, let remotePort = entry.replyDestinationPort else { return nil }
        self.init(local: entry.replySource, localPort: localPort, remote: entry.replyDestination, remotePort: remotePort)
    }

    /// The same port called at the caller's own address.
    var toItself: ConnectionEnds { ConnectionEnds(local: local, localPort: localPort, remote: local, remotePort: remotePort) }

    /// Asks for this one socket, without a walk through all. An IPv6 socket with IPv4-mapped ends is found as well.
    func lookup(in namespace: NetworkNamespace) -> NetlinkRequest {
        var header = inet_diag_req_v2()
        header.sdiag_family = UInt8(AF_INET)
        header.sdiag_protocol = TransportProtocol.tcp.number
        header.idiag_states = UInt32.max
        header.id.idiag_sport = localPort.bigEndian
        header.id.idiag_dport = remotePort.bigEndian
        header.id.idiag_src.0 = local.bits.bigEndian
        header.id.idiag_dst.0 = remote.bits.bigEndian
        // Whichever there is (INET_DIAG_NOCOOKIE).
        header.id.idiag_cookie = (UInt32.max, UInt32.max)
        return NetlinkRequest(
            message: NetlinkMessage(type: Int(SOCK_DIAG_BY_FAMILY), header: header), action: "look up a socket in \(namespace)", tolerated: [ENOENT])
    }
}

extension OpenSocket {
    var ends: ConnectionEnds { ConnectionEnds(local: local, localPort: localPort, remote: remote, remotePort: remotePort) }
}
