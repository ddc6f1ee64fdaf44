/// A setting of the kernel that holds for one container only: `net.core.somaxconn=1024`.
public struct KernelSetting: Sendable, Hashable, Codable, CustomStringConvertible {
    public let key: String
    public let value: String

    /// Settings of a container's network namespace that change no rule Kiln relies on.
    private static let network = [
        "net.core.", "net.ipv4.tcp_", "net.ipv4.udp_", "net.ipv4.ip_local_", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_default_ttl",
        "net.ipv4.ip_nonlocal_bind", "net.ipv4.ping_group_range", "net.unix.",
    ]
    /// Settings of its IPC namespace (ipc_namespaces(7)).
    private static let communication = [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
        "kernel.shm_rmid_forced", "fs.mqueue.",
    ]

    /// - Throws: `invalid-value` when it is no setting of a container's own.
    public init(key: String, value: String) throws(KilnError) {
        guard (1...128).contains(key.utf8.count), key.utf8.allSatisfy({ $0.isASCIIAlphanumeric || "._-".utf8.contains($0) }), !key.contains("..")
        else {
            throw KilnError(.invalidValue, "“\(key.printable(limit: 80))” is not a kernel setting.", hint: "Write it like net.core.somaxconn=1024.")
        }
        guard (1...256).contains(value.utf8.count), value.utf8.allSatisfy({ (0x20...0x7e).contains($0) || $0 == 0x09 }) else {
            throw KilnError(.invalidValue, "The value of \(key) is not one line of text.")
        }
        guard Self.isOwn(key) else {
            let why =
                key.hasPrefix("net.")
                ? "the environment's rules rest on how it is" : "it holds for the whole machine, not for one container"
            throw KilnError(
                .invalidValue, "A service cannot set \(key): \(why).",
                hint: "Remove it; a service may set net.core.*, net.ipv4.tcp_*, kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.*.")
        }
        self.key = key
        self.value = value
    }

    private static func isOwn(_ key: String) -> Bool {
        (network + communication).contains { $0.hasSuffix(".") || $0.hasSuffix("_") ? key.hasPrefix($0) && key != $0 : key == $0 }
    }

    /// Whether it belongs to the network namespace.
    public var isNetwork: Bool { key.hasPrefix("net.") }

    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        try self.init(key: parts[0], value: parts.count == 2 ? parts[1] : "")
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public var description: String { "\(key)=\(value)" }
}
