import CTerminal
import FileWork
import Glibc
import KilnModel

/// A bind of one file or folder of the host's at another path, nosuid and nodev.
struct BindMount {
    var source: String
    var target: String
    var readOnly = false
    var executable = true

    /// Mounts it on a file or folder made for it.
    /// - Throws: `KilnError` with `engine-failed`.
    func mount() throws {
        if try Self.status(of: source).st_mode & S_IFMT == S_IFDIR {
            try TrustedFiles.makeDirectories(target, mode: 0o700)
        } else {
            try TrustedFiles.replace(target, with: "")
        }
        let code = kiln_mount_bind(source, target, readOnly ? 1 : 0, executable ? 0 : 1)
        guard code == 0 else { throw TrustedFiles.failure("mount \(source)", code: -code) }
    }

    /// Whether what lies at the target is what lies at the source now.
    var isMounted: Bool {
        get throws {
            let original = try Self.status(of: source)
            var bound = stat()
            return lstat(target, &bound) == 0 && original.st_dev == bound.st_dev && original.st_ino == bound.st_ino
        }
    }

    private static func status(of path: String) throws -> stat {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw TrustedFiles.failure("mount \(path)") }
        return status
    }
}
