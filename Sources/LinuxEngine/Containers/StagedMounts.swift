import CTerminal
import FoundationEssentials
import Glibc
import KilnModel

/// The binds of one container, made on the host first: crun up to 1.8 drops `nosuid` and `nodev` of a writable bind in a user namespace, but
/// keeps what its source has. They go with the container. A reboot takes them too, so what they are is written down for the next start.
struct StagedMounts {
    private let folder: String
    private let plan: String

    /// - Parameter container: its name.
    init(container: String, configuration: ContainerHost.Configuration) {
        folder = "\(configuration.mounts)/\(container)"
        plan = "\(configuration.mountPlans)/\(container).json"
    }

    /// Where the bind with `index` lies.
    func path(_ index: Int) -> String { "\(folder)/\(index)" }

    func mount(_ mounts: [ContainerSpec.Mount]) throws {
        guard !mounts.isEmpty else { return }
        do {
            try JSONEncoder().encode(mounts).write(to: URL(filePath: plan), options: .atomic)
            try Files.makeDirectory(folder)
            for (index, mount) in mounts.enumerated() { try bind(mount, at: path(index)) }
        } catch {
            try unmount()
            throw error
        }
    }

    private func bind(_ mount: ContainerSpec.Mount, at target: String) throws {
        var status = stat()
        guard lstat(mount.source, &status) == 0 else { throw Files.failure("mount", mount.source, errno) }
        if status.st_mode & S_IFMT == S_IFDIR {
            try Files.makeDirectory(target)
        } else {
            try Files.write("", to: target)
        }
        let code = kiln_mount_bind(mount.source, target, mount.readOnly ? 1 : 0, mount.executable ? 0 : 1)
        guard code == 0 else { throw Files.failure("mount", mount.source, -code) }
    }

    /// Makes again what a reboot took.
    /// - Returns: whether anything is known of such a container.
    func restore() throws -> Bool {
        guard let data = try? Data(contentsOf: URL(filePath: plan)) else { return false }
        let mounts = try JSONDecoder().decode([ContainerSpec.Mount].self, from: data)
        try Files.makeDirectory(folder)
        for (index, mount) in mounts.enumerated() where try !isBound(mount, at: path(index)) { try bind(mount, at: path(index)) }
        return true
    }

    private func isBound(_ mount: ContainerSpec.Mount, at target: String) throws -> Bool {
        var (source, bound) = (stat(), stat())
        guard lstat(mount.source, &source) == 0 else { throw Files.failure("mount", mount.source, errno) }
        return lstat(target, &bound) == 0 && source.st_dev == bound.st_dev && source.st_ino == bound.st_ino
    }

    func unmount() throws {
        try Files.remove(plan)
        var status = stat()
        guard lstat(folder, &status) == 0 else { return }
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let target = "\(folder)/\(name)"
            try Files.unmount(target)
            // What lay under the mount: an empty folder or file of ours.
            guard rmdir(target) == 0 || unlink(target) == 0 else { throw Files.failure("remove", target, errno) }
        }
        try Files.removeEmptyDirectory(folder)
    }
}
