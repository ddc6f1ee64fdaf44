/// What a workspace uses now.
public struct WorkspaceUsage: Sendable, Codable, Hashable {
    /// CPU time since its container started, in nanoseconds.
    public var cpuNanoseconds: Int
    /// Bytes of memory in use, page cache it could drop excluded.
    public var memory: Int
    public var processes: Int
    /// Bytes used, and the size, of the file system that holds its home.
    public var diskUsed: Int
    public var diskSize: Int

    public init(cpuNanoseconds: Int, memory: Int, processes: Int, diskUsed: Int, diskSize: Int) {
        self.cpuNanoseconds = cpuNanoseconds
        self.memory = memory
        self.processes = processes
        self.diskUsed = diskUsed
        self.diskSize = diskSize
    }
}
