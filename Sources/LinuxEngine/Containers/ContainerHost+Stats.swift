import FileWork
import FoundationEssentials
import KilnModel

/// What a container uses, and may.
public struct ContainerUsage: Sendable, Hashable {
    /// CPU time since its start, in nanoseconds.
    public var cpuNanoseconds: Int
    /// Bytes in use, page cache that can be dropped excluded.
    public var memory: Int
    /// Processes and threads.
    public var processes: Int
    /// As the kernel enforces them; nil: no limit.
    public var milliCPULimit: Int?
    public var memoryLimit: Int?
    public var processLimit: Int?
    /// Processes that were killed since its start because there was no memory left.
    public var memoryKills: Int
}

extension ContainerHost {
    /// What a running container uses now, read from its cgroup.
    /// - Parameter container: its id, 64 hex digits.
    /// - Throws: `KilnError` with `wrong-phase` when it does not run.
    public func stats(_ container: String) throws -> ContainerUsage {
        let reader = CgroupReader(layout: cgroups, container: container)
        switch cgroups.version {
        case .v2: return try reader.unified()
        case .v1: return try reader.legacy()
        }
    }
}

/// Reads a container's cgroup files.
private struct CgroupReader {
    var layout: CgroupLayout
    var container: String

    func unified() throws -> ContainerUsage {
        let memory = try number("memory", "memory.current") - cache(prefix: "")
        let cpu = try text("cpu", "cpu.max").split(whereSeparator: \.isWhitespace)
        var milliCPUs: Int?
        if cpu.count == 2, let quota = Int(cpu[0]), let period = Int(cpu[1]), period > 0 { milliCPUs = quota * 1000 / period }
        return ContainerUsage(
            cpuNanoseconds: field("usage_usec", of: try text("cpu", "cpu.stat")) * 1000, memory: max(memory, 0),
            processes: try number("pids", "pids.current"), milliCPULimit: milliCPUs, memoryLimit: try limit("memory", "memory.max"),
            processLimit: try limit("pids", "pids.max"), memoryKills: field("oom_kill", of: try text("memory", "memory.events")))
    }

    func legacy() throws -> ContainerUsage {
        let memory = try number("memory", "memory.usage_in_bytes") - cache(prefix: "total_")
        let quota = try number("cpu", "cpu.cfs_quota_us")
        let period = try number("cpu", "cpu.cfs_period_us")
        return ContainerUsage(
            cpuNanoseconds: try number("cpuacct", "cpuacct.usage"), memory: max(memory, 0), processes: try number("pids", "pids.current"),
            milliCPULimit: quota > 0 && period > 0 ? quota * 1000 / period : nil, memoryLimit: try limit("memory", "memory.limit_in_bytes"),
            processLimit: try limit("pids", "pids.max"), memoryKills: field("oom_kill", of: try text("memory", "memory.oom_control")))
    }

    /// Bytes of files kept in memory, which the kernel drops when it needs room.
    private func cache(prefix: String) throws -> Int {
        let text = try text("memory", "memory.stat")
        return field("\(prefix)inactive_file", of: text) + field("\(prefix)active_file", of: text)
    }

    private func text(_ controller: String, _ file: String) throws -> String {
        guard let folder = layout.directory(of: container, controller: controller) else {
            throw KilnError(.engineFailed, "This machine has no cgroup controller “\(controller)”.")
        }
        do {
            return try TrustedFiles.text(of: "\(folder)/\(file)")
        } catch {
            throw ContainerProcess.notRunning
        }
    }

    private func number(_ controller: String, _ file: String) throws -> Int {
        let text = try text(controller, file).split(whereSeparator: \.isWhitespace).first ?? ""
        guard let value = Int(text) else { throw KilnError(.engineFailed, "The kernel's \(file) is not a number.") }
        return value
    }

    /// `max`, or half of what fits a number (the kernel's way to say so in v1), is no limit.
    private func limit(_ controller: String, _ file: String) throws -> Int? {
        let text = try text(controller, file).split(whereSeparator: \.isWhitespace).first ?? ""
        return Int(text).flatMap { $0 < Int.max / 2 ? $0 : nil }
    }

    private func field(_ name: String, of text: String) -> Int {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, parts[0] == name { return Int(parts[1]) ?? 0 }
        }
        return 0
    }
}
