/// What a workspace uses now.
public struct WorkspaceUsage: Sendable, Codable, Hashable {
    /// CPU time since its container started, in nanoseconds.
    public var cpuNanoseconds: Int
    /// Bytes of memory in use, page cache it could drop excluded.
    public var memory: Int
    public var processes: Int
    /// What the kernel holds it to. The workspace's own limits may not be in force yet.
    public var limits: ResourceLimits
    /// Processes that the kernel has killed since the container started, because there was no memory left for them.
    public var memoryKills: Int
    /// Bytes left to it, and the size, of the file system that holds its home and those of others.
    public var diskFree: Int
    public var diskSize: Int

    public init(
        cpuNanoseconds: Int, memory: Int, processes: Int, limits: ResourceLimits, memoryKills: Int = 0, diskFree: Int, diskSize: Int
    ) {
        self.cpuNanoseconds = cpuNanoseconds
        self.memory = memory
        self.processes = processes
        self.limits = limits
        self.memoryKills = memoryKills
        self.diskFree = diskFree
        self.diskSize = diskSize
    }
}
