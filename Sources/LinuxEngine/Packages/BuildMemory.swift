import FileWork
import FoundationEssentials
import Glibc
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
            try Self.write("\(bytes)", to: "\(folder)/memory.limit_in_bytes")
        case .v2:
            folder = "\(CgroupLayout.root)\(layout.parent)/packages"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for parent in [CgroupLayout.root, "\(CgroupLayout.root)\(layout.parent)"] {
                try Self.write("+memory", to: "\(parent)/cgroup.subtree_control")
            }
            try Self.write("\(bytes)", to: "\(folder)/memory.max")
        }
        words = ["/bin/sh", "-c", #"echo $$ >"$0/cgroup.procs" && exec "$@""#, folder]
    }

    /// A file of a cgroup takes a value in one write, and cannot be replaced.
    private static func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TrustedFiles.failure("open \(path)") }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw TrustedFiles.failure("write \(path)") }
    }
}
