import FileWork
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
            try TrustedFiles.makeDirectories(folder, mode: 0o700)
            for (index, mount) in mounts.enumerated() { try bind(mount, index).mount() }
        } catch {
            try unmount()
            throw error
        }
    }

    private func bind(_ mount: ContainerSpec.Mount, _ index: Int) -> BindMount {
        BindMount(source: mount.source, target: path(index), readOnly: mount.readOnly, executable: mount.executable)
    }

    /// Makes again what a reboot took.
    /// - Returns: whether anything is known of such a container.
    func restore() throws -> Bool {
        guard let data = try? Data(contentsOf: URL(filePath: plan)) else { return false }
        let mounts = try JSONDecoder().decode([ContainerSpec.Mount].self, from: data)
        try TrustedFiles.makeDirectories(folder, mode: 0o700)
        for (index, mount) in mounts.enumerated() {
            let bind = bind(mount, index)
            if try !bind.isMounted { try bind.mount() }
        }
        return true
    }

    func unmount() throws {
        try TrustedFiles.remove(plan)
        var status = stat()
        guard lstat(folder, &status) == 0 else { return }
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let target = "\(folder)/\(name)"
            try MountTable.unmount(target)
            // What lay under the mount: an empty folder or file of ours.
            guard rmdir(target) == 0 || unlink(target) == 0 else { throw TrustedFiles.failure("remove \(target)") }
        }
        try TrustedFiles.removeEmptyDirectory(folder)
    }
}
