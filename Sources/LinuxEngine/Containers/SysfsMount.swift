import CTerminal
import FileWork
import FoundationEssentials
import KilnModel

/// A network namespace's own sysfs, mounted read-only under the runtime folder, to be `/sys` of containers in that namespace. The host's would
/// show the names of the host's interfaces, and a container in a user namespace may not mount its own.
public struct SysfsMount: Sendable, Hashable {
    /// One path component, unique within the instance.
    public let name: String
    let folder: String

    /// The mount point, for `ContainerSpec.sysfs`.
    public var path: String { "\(folder)/\(name)" }

    /// Mounts it; done when it is mounted already.
    /// - Parameter networkNamespace: path of the namespace. A namespace made anew under the same path needs `unmount()` first.
    /// - Throws: `KilnError` with `engine-failed`.
    public func mount(networkNamespace: String) throws {
        try TrustedFiles.makeDirectories(path, mode: 0o700)
        guard try !MountTable.points(within: path).contains(path) else { return }
        let code = kiln_mount_sysfs(networkNamespace, path)
        guard code == 0 else { throw TrustedFiles.failure("mount the sysfs of \(networkNamespace) at \(path)", code: -code) }
    }

    /// Unmounts it; done when it is gone already.
    public func unmount() throws {
        for point in try MountTable.points(within: path) { try MountTable.unmount(point) }
        try TrustedFiles.removeEmptyDirectory(path)
    }
}

extension ContainerHost {
    /// The sysfs mount called `name`, mounted or not.
    /// - Throws: `KilnError` with `invalid-value` when `name` is not a single path component.
    public func sysfs(_ name: String) throws -> SysfsMount {
        guard !name.isEmpty, name != ".", name != "..", !name.contains("/") else {
            throw KilnError(.invalidValue, "“\(name)” cannot name a mount.")
        }
        return SysfsMount(name: name, folder: configuration.sysfs)
    }

    /// All sysfs mounts there are.
    public func sysfsMounts() throws -> [SysfsMount] {
        try FileManager.default.contentsOfDirectory(atPath: configuration.sysfs).map { SysfsMount(name: $0, folder: configuration.sysfs) }
    }
}
