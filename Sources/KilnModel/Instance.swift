/// One installation of Kiln on a host. Its name and slot decide every name, address and id range that could clash with another's, so that
/// two run side by side and purging one leaves the other whole.
public struct Instance: Sendable, Hashable {
    public static let defaultName = "kiln"
    /// Slots 0 to 31.
    public static let slotCount = 32
    /// User ids in one range, as containers see them: 0 to 65535.
    public static let rangeSize = 65536
    /// Ranges an instance may hand out to workmachines and environments.
    public static let rangeCount = 511
    /// The range that image builds run in; nobody's.
    public static let buildRange = 511

    public let name: Name
    public let slot: Int
    /// `kiln`, or `kiln-NAME`: what directories, namespaces and tables are called.
    public let prefix: String

    /// - Parameter name: at most 8 bytes, since `kiln-NAME0` is an interface name (15 bytes at most).
    /// - Throws: `KilnError` with `invalid-value`.
    public init(name: Name, slot: Int) throws(KilnError) {
        guard name.value.utf8.count <= 8 else {
            throw KilnError(.invalidValue, "The instance name “\(name)” is longer than 8 bytes.")
        }
        guard (0..<Self.slotCount).contains(slot) else {
            throw KilnError(.invalidValue, "The slot \(slot) is not one of 0 to \(Self.slotCount - 1).")
        }
        self.name = name
        self.slot = slot
        prefix = name.value == Self.defaultName ? Self.defaultName : "kiln-\(name)"
    }

    /// First user and group id, on the host, of the range with `index`: one below `rangeCount`, or `buildRange`.
    public func firstUserID(ofRange index: Int) -> Int {
        precondition((0...Self.buildRange).contains(index))
        return 0x1000_0000 + slot * Self.rangeSize * (Self.buildRange + 1) + index * Self.rangeSize
    }

    /// The host's end of the one veth between the host and this instance's router.
    public var hostInterface: String { "\(prefix)0" }

    public var stateDirectory: String { "/var/lib/\(prefix)" }
    public var runtimeDirectory: String { "/run/\(prefix)" }
    /// kilnd listens here, the agent dials: all that the two share.
    public var agentSocket: String { "\(runtimeDirectory)/agent/agent.sock" }
}
