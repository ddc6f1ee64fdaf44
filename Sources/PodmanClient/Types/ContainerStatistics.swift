/// What a container uses.
public struct ContainerStatistics: Decodable, Sendable {
    /// CPU time since its start, in nanoseconds.
    public var cpuNanoseconds: UInt64
    /// Bytes, page cache included.
    public var memory: UInt64
    /// Bytes.
    public var memoryLimit: UInt64
    public var processes: UInt64

    enum CodingKeys: String, CodingKey { case cpuNanoseconds = "CPUNano", memory = "MemUsage", memoryLimit = "MemLimit", processes = "PIDs" }
}
