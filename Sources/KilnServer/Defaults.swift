internal import KilnAPI
internal import KilnModel

/// What a request gets that does not say. Pure.
enum Defaults {
    static let workmachine = "local"
    static let image = "localhost/kiln/workspace"
    static let milliCPUs = 2000
    static let memory = 4 << 30
    static let pids = 4096
    /// Below this an init and a shell do not start.
    static let leastMemory = 64 << 20
    static let leastMilliCPUs = 100

    /// - Parameter host: what the workmachine has; nil while no engine has ever been connected.
    /// - Throws: `invalid-value` for limits that nothing could run in or that the host does not have.
    static func limits(milliCPUs: Int?, memory: Int?, host: EngineInfo?) throws(KilnError) -> ResourceLimits {
        let defaults = ResourceLimits(
            milliCPUs: min(Self.milliCPUs, host.map { $0.cpus * 1000 } ?? Self.milliCPUs),
            memory: min(Self.memory, host.map { $0.memory / 2 } ?? Self.memory), pids: pids
        )
        return try limits(defaults, milliCPUs: milliCPUs, memory: memory, host: host)
    }

    /// `current` with what is not nil changed.
    static func limits(_ current: ResourceLimits, milliCPUs: Int?, memory: Int?, host: EngineInfo?) throws(KilnError) -> ResourceLimits {
        var limits = current
        if let milliCPUs {
            let most = host.map { $0.cpus * 1000 } ?? Int.max
            guard (leastMilliCPUs...max(most, leastMilliCPUs)).contains(milliCPUs) else {
                throw KilnError(
                    .invalidValue, "\(Double(milliCPUs) / 1000) CPUs cannot be given: the workmachine has \(host?.cpus ?? 0).",
                    hint: "Use 0.1 up to the number of its CPUs."
                )
            }
            limits.milliCPUs = milliCPUs
        }
        if let memory {
            guard (leastMemory...max(host?.memory ?? Int.max, leastMemory)).contains(memory) else {
                throw KilnError(
                    .invalidValue, "\(memory) bytes of memory cannot be given.",
                    hint: "Use 64 MiB up to what the workmachine has\(host.map { ", \($0.memory >> 20) MiB" } ?? "")."
                )
            }
            limits.memory = memory
        }
        return limits
    }
}
