import Glibc
import KilnModel

extension ContainerHost {
    /// Holds a running container to other limits than it was made with, until its next start. Memory that would hardly hold what is in use is left as
    /// it is: the kernel would refuse (cgroup v1), or kill for it (v2).
    /// - Parameter container: its id, 64 hex digits.
    func enforce(_ limits: ResourceLimits, on container: String) throws {
        let now = try stats(container)
        if now.processLimit != limits.pids { try set("pids", "pids.max", "\(limits.pids)", of: container) }
        if now.milliCPULimit != limits.milliCPUs {
            let quota = limits.milliCPUs * 100
            switch cgroups.version {
            case .v2: try set("cpu", "cpu.max", "\(quota) 100000", of: container)
            case .v1:
                try set("cpu", "cpu.cfs_period_us", "100000", of: container)
                try set("cpu", "cpu.cfs_quota_us", "\(quota)", of: container)
            }
        }
        let page = sysconf(Int32(_SC_PAGESIZE))
        let memory = limits.memory / page * page
        guard let held = now.memoryLimit, held != memory, memory - memory / 10 > now.memory else { return }
        switch cgroups.version {
        case .v2: try set("memory", "memory.max", "\(memory)", of: container)
        case .v1:
            // Memory and swap together may never be less than memory alone. Kernels that do not count swap lack the file.
            let files = ["memory.memsw.limit_in_bytes", "memory.limit_in_bytes"].filter { hasFile("memory", $0, of: container) }
            for file in memory > held ? files : files.reversed() { try set("memory", file, "\(memory)", of: container) }
        }
    }

    private func path(_ controller: String, _ file: String, of container: String) throws -> String {
        guard let folder = cgroups.directory(of: container, controller: controller) else {
            throw KilnError(.engineFailed, "This machine has no cgroup controller “\(controller)”.")
        }
        return "\(folder)/\(file)"
    }

    private func hasFile(_ controller: String, _ file: String, of container: String) -> Bool {
        (try? path(controller, file, of: container)).map { Glibc.access($0, F_OK) == 0 } ?? false
    }

    private func set(_ controller: String, _ file: String, _ value: String, of container: String) throws {
        try KernelFile.set(path(controller, file, of: container), to: value)
    }
}
