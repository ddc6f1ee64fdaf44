/// How a service's container is set up, beyond what it runs. nil and empty leave the image's or the engine's own.
public struct ContainerSettings: Sendable, Codable, Hashable {
    /// When an image is fetched.
    public enum PullPolicy: String, Sendable, Codable, CaseIterable { case always, missing, never }

    public var user: UserReference?
    /// Further groups, by name or id.
    public var groups: [UserReference] = []
    public var workingDirectory: ContainerPath?
    public var hostname: HostName?
    public var labels: [String: String] = [:]
    public var addedCapabilities: [GrantableCapability] = []
    public var droppedCapabilities: [Capability] = []
    public var kernelSettings: [KernelSetting] = []
    public var processLimits: [ProcessLimit] = []
    public var limits = ServiceLimits()
    /// Whether a small init is the first process.
    public var hasInit: Bool?
    public var stopSignal: StopSignal?
    /// Seconds between the stop signal and SIGKILL.
    public var stopGracePeriod: Double?
    public var memoryFolders: [MemoryFolder] = []
    /// Bytes of `/dev/shm`.
    public var sharedMemory: Int?
    /// Whether the root file system cannot be written.
    public var isReadOnly = false
    /// Whether no program in it may gain rights, by setuid say.
    public var hasNoNewPrivileges = false
    public var hasTerminal = false
    public var keepsInputOpen = false
    /// Lines of `/etc/hosts`.
    public var hosts: [HostEntry] = []
    public var pullPolicy: PullPolicy?

    public init() {}
}

/// What a service may use; nil is without limit.
public struct ServiceLimits: Sendable, Codable, Hashable {
    /// CPUs, in parts of one thousand.
    public var milliCPUs: Int?
    /// Bytes.
    public var memory: Int?
    /// Processes and threads.
    public var pids: Int?

    public init(milliCPUs: Int? = nil, memory: Int? = nil, pids: Int? = nil) {
        self.milliCPUs = milliCPUs
        self.memory = memory
        self.pids = pids
    }

    public init(_ limits: ResourceLimits) {
        self.init(milliCPUs: limits.milliCPUs, memory: limits.memory, pids: limits.pids)
    }
}

/// A folder in memory, empty at every start.
public struct MemoryFolder: Sendable, Codable, Hashable {
    public var path: ContainerPath
    /// Bytes; nil: half of the memory.
    public var size: Int?
    /// Permission bits; nil: 1777.
    public var mode: Int?

    public init(path: ContainerPath, size: Int? = nil, mode: Int? = nil) {
        self.path = path
        self.size = size
        self.mode = mode
    }
}

/// One line of a container's `/etc/hosts`.
public struct HostEntry: Sendable, Codable, Hashable {
    public var name: HostName
    public var address: HostAddress

    public init(name: HostName, address: HostAddress) {
        self.name = name
        self.address = address
    }
}
