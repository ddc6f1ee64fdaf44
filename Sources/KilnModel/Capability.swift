/// A part of root's power (capabilities(7)), such as `CAP_CHOWN`; `ALL` stands for every one.
public struct Capability: ValidatedText {
    public let value: String

    public static let all = "ALL"

    private static let names: Set<String> = [
        "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH",
        "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN",
        "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT",
        "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
    ]

    /// Parses `CAP_CHOWN`, `CHOWN` or `chown`.
    public init(_ text: String) throws(KilnError) {
        var name = text.uppercased()
        if name.hasPrefix("CAP_") { name.removeFirst(4) }
        guard name == Self.all || Self.names.contains(name) else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 40))” is not a capability.", hint: "Write it like CHOWN or CAP_CHOWN.")
        }
        value = name == Self.all ? name : "CAP_\(name)"
    }
}

/// A capability that a service may be given: its power ends at the service's own user namespace.
public struct GrantableCapability: ValidatedText {
    public let value: String

    /// What containers have anyway, and what debuggers, databases and key stores ask for. Nothing that reaches the network namespace, mounts,
    /// devices, kernel logs or the clock.
    private static let grantable: Set<String> = [
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_KILL", "CAP_LEASE",
        "CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
        "CAP_SYS_NICE", "CAP_SYS_PTRACE",
    ]

    public init(_ text: String) throws(KilnError) {
        let capability = try Capability(text)
        guard Self.grantable.contains(capability.value) else {
            throw KilnError(
                .invalidValue, "A service cannot have \(capability): it would reach beyond its own container.",
                hint: "Remove it. A service may add \(Self.names).")
        }
        value = capability.value
    }

    private static let names = grantable.sorted().map { $0.dropFirst(4) }.joined(separator: ", ")
}
