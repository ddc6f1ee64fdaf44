import CLinux
import Glibc

extension NetlinkSocket {
    /// Waits until packets pass through the link of `namespace`, this socket's own; gives up after `patience` milliseconds.
    ///
    /// Linux 6.8 and newer bring a link's state up to date when it is asked for; older ones say by a notification when they have.
    @discardableResult
    func waitUntilRunning(_ name: String, in namespace: NetworkNamespace, patience: Int = 1000) throws -> Bool {
        if try link(named: name)?.isRunning == true { return true }
        let changes = try namespace.enter { try LinkChanges() }
        let deadline = ContinuousClock.now + .milliseconds(patience)
        // Asked for again after the subscription: no change is missed.
        while try link(named: name)?.isRunning != true {
            guard try changes.wait(until: deadline) else { return false }
        }
        return true
    }
}

/// Notifications about links of one namespace.
private struct LinkChanges {
    private let descriptor: Descriptor

    /// Subscribes in the calling thread's namespace.
    init() throws {
        let number = socket(AF_NETLINK, CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), NETLINK_ROUTE)
        guard number >= 0 else { throw SystemCallError.last("open a netlink socket") }
        descriptor = Descriptor(number)
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups = UInt32(RTMGRP_LINK)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(number, $0, socklen_t(MemoryLayout<sockaddr_nl>.size)) }
        }
        guard code == 0 else { throw SystemCallError.last("subscribe to changes of links") }
    }

    /// Whether something changed before the deadline.
    func wait(until deadline: ContinuousClock.Instant) throws -> Bool {
        let left = (deadline - ContinuousClock.now) / .milliseconds(1)
        guard left > 0 else { return false }
        var request = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        let count = poll(&request, 1, CInt(left.rounded(.up)))
        guard count >= 0 || errno == EINTR else { throw SystemCallError.last("wait for changes of links") }
        var buffer = [UInt8](repeating: 0, count: 1 << 15)
        while recv(descriptor.number, &buffer, buffer.count, 0) > 0 {}
        return count != 0
    }
}
