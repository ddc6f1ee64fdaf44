import CLinux
import FileWork
import Glibc
import KilnModel

/// A directory held open, from which only single, real entries are reached: never through a symlink, never upwards.
///
/// A workspace's root can put a link anywhere below its home; a path that root walks there would lead to the host.
final class TrustedDirectory: Sendable {
    private let descriptor: CInt

    /// Opens a directory whose path only root controls.
    init(_ path: String) throws(KilnError) {
        descriptor = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw TrustedFiles.failure("open \(path)") }
    }

    private init(descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// The entry's directory; nil when there is none, or when it is a link or no directory.
    func directory(_ entry: String) throws(KilnError) -> TrustedDirectory? {
        precondition(!entry.contains("/") && entry != "..")
        let child = openat(descriptor, entry, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        if child >= 0 { return TrustedDirectory(descriptor: child) }
        if errno == ENOENT || errno == ENOTDIR || errno == ELOOP { return nil }
        throw TrustedFiles.failure("open \(entry.printable())")
    }

    func contains(_ entry: String) -> Bool {
        var status = stat()
        return fstatat(descriptor, entry, &status, AT_SYMLINK_NOFOLLOW) == 0
    }

    /// A path that leads a child process to this very directory.
    var path: String { "/proc/\(getpid())/fd/\(descriptor)" }
}
