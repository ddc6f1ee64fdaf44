import FoundationEssentials
import KilnModel

/// Bounds the memory of what Nix builds: by systemd where it runs the host, by a cgroup of Kiln's own where not.
struct BuildMemory {
    /// What a program is started with so that it counts, with all that it starts: it comes before the program's own words.
    let words: [String]

    /// - Parameter bytes: of all builds of the instance together.
    /// - Throws: `engine-failed` when the host has no such limits.
    init(_ layout: CgroupLayout, bytes: Int) throws {
        if layout.hasSystemd {
            words = ["systemd-run", "--scope", "--quiet", "--collect", "--property=MemoryMax=\(bytes)", "--property=MemorySwapMax=0", "--"]
            return
        }
        let folder: String
        switch layout.version {
        case .v1(let controllers, _):
            guard let memory = controllers["memory"] else { throw KilnError(.engineFailed, "This host cannot bound the memory of builds.") }
            folder = "\(memory)\(layout.parent)/packages"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try KernelFile.set("\(folder)/memory.limit_in_bytes", to: "\(bytes)")
        case .v2:
            folder = "\(CgroupLayout.root)\(layout.parent)/packages"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for parent in [CgroupLayout.root, "\(CgroupLayout.root)\(layout.parent)"] {
                try KernelFile.set("\(parent)/cgroup.subtree_control", to: "+memory")
            }
            try KernelFile.set("\(folder)/memory.max", to: "\(bytes)")
        }
        words = ["/bin/sh", "-c", #"echo $$ >"$0/cgroup.procs" && exec "$@""#, folder]
    }
}
