import CTerminal
import FoundationEssentials
import Glibc
import KilnModel

/// The binds of one container, made on the host first: crun up to 1.8 drops `nosuid` and `nodev` of a writable bind in a user namespace, but
/// keeps what its source has. They go with the container, and at a reboot.
struct StagedMounts {
    private let folder: String

    init(container: String, configuration: ContainerHost.Configuration) { folder = "\(configuration.mounts)/\(container)" }

    /// Where the bind with `index` lies.
    func path(_ index: Int) -> String { "\(folder)/\(index)" }

    func mount(_ mounts: [ContainerSpec.Mount]) throws {
        guard !mounts.isEmpty else { return }
        try Files.makeDirectory(folder)
        do {
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

    func unmount() throws {
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
