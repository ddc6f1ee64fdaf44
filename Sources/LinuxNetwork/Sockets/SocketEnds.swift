import CLinux
import Glibc
import KilnModel

/// The kernel's notices that a listener or an unconnected socket of one namespace is no more (the `SKNLGRP_…_DESTROY` groups of sock_diag(7)).
///
/// An open one keeps the namespace alive: it has to go before the namespace can.
final class SocketEnds: Sendable {
    enum Notice: Hashable, Sendable {
        case ended(ServicePort)
        /// There were more than fit into the socket's buffer.
        case missed
    }

    let descriptor: Descriptor
    /// Which namespace it listens in, whatever is pinned under that name now.
    let inode: UInt

    init(in namespace: NetworkNamespace) throws {
        (descriptor, inode) = try namespace.enter { (try Self.subscribeHere(), try Self.inode("/proc/thread-self/ns/net")) }
    }

    private static func subscribeHere() throws -> Descriptor {
        let number = socket(AF_NETLINK, CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), NETLINK_SOCK_DIAG)
        guard number >= 0 else { throw SystemCallError.last("open a netlink socket") }
        let descriptor = Descriptor(number)
        // Before it subscribes: a busy workspace ends thousands of connections a second.
        guard linux_filter_sockets_without_peer(number) == 0 else { throw SystemCallError.last("filter the notices of ended sockets") }
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        for group in [SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET_UDP_DESTROY, SKNLGRP_INET6_TCP_DESTROY, SKNLGRP_INET6_UDP_DESTROY] {
            address.nl_groups |= 1 << (group.rawValue - 1)
        }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(number, $0, socklen_t(MemoryLayout<sockaddr_nl>.size)) }
        }
        guard code == 0 else { throw SystemCallError.last("subscribe to the ends of sockets") }
        return descriptor
    }

    /// The inode of the namespace at `path`; nil when there is nothing.
    static func inode(_ path: String) throws -> UInt {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SystemCallError.last("look at \(path)") }
        return status.st_ino
    }

    /// What came since the last call; does not wait.
    func read() -> Set<Notice> {
        var notices: Set<Notice> = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = recv(descriptor.number, &buffer, buffer.count, 0)
            if count > 0 {
                for reply in NetlinkReply.parse(buffer[..<count]) { if let port = Self.port(reply) { notices.insert(.ended(port)) } }
            } else if count < 0, errno == EINTR {
                continue
            } else if count < 0, errno == EAGAIN {
                return notices
            } else {
                // ENOBUFS, for one.
                notices.insert(.missed)
                if errno != ENOBUFS { return notices }
            }
        }
    }

    static func port(_ reply: NetlinkReply) -> ServicePort? {
        guard let message = reply.header(as: inet_diag_msg.self), message.id.idiag_sport != 0 else { return nil }
        let attributes = reply.attributes(after: MemoryLayout<inet_diag_msg>.size)
        let transport: TransportProtocol
        switch attributes.number(Int(INET_DIAG_PROTOCOL), as: UInt8.self) {
        case TransportProtocol.tcp.number: transport = .tcp
        case TransportProtocol.udp.number: transport = .udp
        default: return nil
        }
        return ServicePort(UInt16(bigEndian: message.id.idiag_sport), transport)
    }
}
