import Glibc

/// What a new namespace is set to before anything is plugged into it. Pure; `applyHere` is the edge.
public struct NamespaceSettings: Sendable, Hashable {
    /// Paths below `/proc/sys/net` with their values, in order.
    public let values: [Setting]

    public struct Setting: Sendable, Hashable {
        public let key: String
        public let value: String
        /// Whether a kernel may lack it: IPv6 built out, or older than the setting.
        public let isOptional: Bool

        init(_ key: String, _ value: String, isOptional: Bool = false) {
            self.key = key
            self.value = value
            self.isOptional = isOptional
        }
    }

    /// Where containers live: any port may be bound and ping works without a capability.
    public static let container = NamespaceSettings(
        values: common + [
            Setting("ipv4/ip_forward", "0"), Setting("ipv4/ip_unprivileged_port_start", "0"), Setting("ipv4/ping_group_range", "0 2147483647"),
        ])

    /// Passes packets on.
    public static let router = NamespaceSettings(values: common + [Setting("ipv4/ip_forward", "1")])

    /// A new namespace inherits much of IPv4 from the host (`net.core.devconf_inherit_init_net`): whatever the design rests on is said here.
    private static let common: [Setting] =
        ["all", "default"].flatMap { scope in
            // Hosts with load balancers answer ARP sparingly; ours must answer for addresses on the loopback.
            ["arp_ignore", "arp_announce", "arp_filter", "proxy_arp", "accept_local", "route_localnet", "accept_source_route"].map {
                Setting("ipv4/conf/\(scope)/\($0)", "0")
            } + [
                // Kiln's networks speak IPv4 only; a link-local address would be a way around every rule.
                Setting("ipv6/conf/\(scope)/disable_ipv6", "1", isOptional: true),
                Setting("ipv4/conf/\(scope)/rp_filter", "1"),
                Setting("ipv4/conf/\(scope)/accept_redirects", "0"),
                Setting("ipv4/conf/\(scope)/send_redirects", "0"),
            ]
        } + [
            // A connection that its server reset would be remembered for ten seconds, and one that begins from the same port led where it went,
            // whichever side answers by now.
            Setting("netfilter/nf_conntrack_tcp_timeout_close", "0", isOptional: true),
            // At most one ICMP error a second and peer is the default: the second refused connection would hang instead of failing.
            Setting("ipv4/icmp_ratelimit", "0"),
            Setting("ipv4/icmp_msgs_per_sec", "100000", isOptional: true),
            Setting("ipv4/icmp_msgs_burst", "1000", isOptional: true),
        ]

    /// Writes the settings into the calling thread's namespace and brings its loopback up.
    func applyHere() throws {
        for setting in values { try Sysctl.write(setting.key, setting.value, isOptional: setting.isOptional) }
        let socket = try NetlinkSocket.route()
        let loopback = try socket.existingLink(named: "lo")
        try socket.send([.setLink(loopback.index, isUp: true)])
    }
}

/// `/proc/sys/net`. It shows the namespace of the *thread* that opens it (unlike `/proc/net`, which shows the process's).
enum Sysctl {
    static func write(_ key: String, _ value: String, isOptional: Bool = false) throws {
        let path = "/proc/sys/net/\(key)"
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else {
            if isOptional, errno == ENOENT { return }
            throw SystemCallError.last("open \(path)")
        }
        let descriptor = Descriptor(file)
        guard Glibc.write(descriptor.number, value, value.utf8.count) == value.utf8.count else {
            throw SystemCallError.last("write \(value) to \(path)")
        }
    }

    static func read(_ key: String) throws -> String {
        let path = "/proc/sys/net/\(key)"
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemCallError.last("open \(path)") }
        let descriptor = Descriptor(file)
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(descriptor.number, &buffer, buffer.count)
        guard count >= 0 else { throw SystemCallError.last("read \(path)") }
        var text = String(decoding: buffer[..<count], as: UTF8.self)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
