import CLinux
import CTerminal
import FileWork
import Glibc
import KilnModel
import Synchronization

/// A folder in memory for what must never reach a disk: the values of secrets.
struct MemoryMount: Sendable {
    /// 4096 files of an average of 16 KiB: far more than secrets are, far less than a machine's memory.
    private static let options = "size=64m,nr_inodes=8k,mode=0700"

    let path: String

    /// Services start together, and a second mount would hide what the first one holds.
    private static let turn = Mutex<Void>(())

    /// Mounts it unless it is mounted.
    func ensure() throws(KilnError) {
        try Self.turn.withLock { _ throws(KilnError) in try mountUnlessMounted() }
    }

    private func mountUnlessMounted() throws(KilnError) {
        try TrustedFiles.makeDirectory(path, mode: 0o700)
        guard !isMounted else { return }
        let flags = UInt(LINUX_MS_NOSUID | LINUX_MS_NODEV | LINUX_MS_NOEXEC)
        guard linux_mount("tmpfs", path, "tmpfs", flags, Self.options) == 0 else { throw TrustedFiles.failure("mount a tmpfs at \(path)") }
    }

    /// That something is mounted here, and not only that the folder lies on a tmpfs: its device differs from its parent's.
    private var isMounted: Bool {
        var (own, parent) = (stat(), stat())
        return lstat(path, &own) == 0 && lstat("\(path)/..", &parent) == 0 && own.st_dev != parent.st_dev
    }

    /// Forgets everything in it.
    func remove() throws {
        try MountTable.unmount(path)
        guard rmdir(path) == 0 || errno == ENOENT else { throw TrustedFiles.failure("remove \(path)") }
    }
}
