public import KilnModel

/// Where one kilnd listens and keeps its things.
public struct Configuration: Sendable {
    public var instance: Instance
    /// A loopback address.
    public let address: String
    /// 0: any free port.
    public var port: Int
    public var stateDirectory: String
    public var runtimeDirectory: String
    /// Largest build context, in bytes.
    public var maximumContext = 1 << 30
    /// Seconds between two signs of life on an event stream without events.
    public var heartbeat = 15.0

    /// - Throws: `invalid-value` for an address that others could reach: without a certificate, tokens would travel in the clear.
    public init(
        instance: Instance, address: String = "127.0.0.1", port: Int = 7433, stateDirectory: String? = nil, runtimeDirectory: String? = nil
    ) throws(KilnError) {
        guard ["127.0.0.1", "::1", "localhost"].contains(address) else {
            throw KilnError(
                .invalidValue, "kilnd serves plain HTTP, so it listens on 127.0.0.1 only, not on \(address.printable(limit: 60)).",
                hint: "Leave the address out; reach it from elsewhere through an SSH tunnel."
            )
        }
        guard (0...65535).contains(port) else { throw KilnError(.invalidValue, "\(port) is not a port.", hint: "Use 1 to 65535.") }
        self.instance = instance
        self.address = address
        self.port = port
        self.stateDirectory = stateDirectory ?? instance.stateDirectory
        self.runtimeDirectory = runtimeDirectory ?? instance.runtimeDirectory
    }

    /// kilnd's own part of the state.
    public var directory: String { "\(stateDirectory)/kilnd" }
    public var storePath: String { "\(directory)/kiln.sqlite" }
    public var contextsDirectory: String { "\(directory)/contexts" }
    public var agentSocket: String { "\(runtimeDirectory)/agent/agent.sock" }
}
