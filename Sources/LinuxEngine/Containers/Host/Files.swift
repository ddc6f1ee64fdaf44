import CTerminal
import FoundationEssentials
import Glibc
import KilnModel

/// Small file work of root's own folders.
enum Files {
    static func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        guard chmod(path, 0o700) == 0 else { throw failure("change the mode of", path, errno) }
    }

    static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    }

    /// Reads to the end: files of the kernel have no size and come a page at a time.
    static func read(_ path: String) throws -> String {
        let file = Descriptor(owning: open(path, O_RDONLY | O_CLOEXEC))
        guard file.number >= 0 else { throw failure("open", path, errno) }
        var bytes: [UInt8] = []
        while true {
            var code: Int32 = 0
            let piece = [UInt8](unsafeUninitializedCapacity: 1 << 14) { buffer, initialized in
                let count = Glibc.read(file.number, buffer.baseAddress, buffer.count)
                code = count < 0 ? errno : 0
                initialized = max(count, 0)
            }
            guard code == 0 else { throw failure("read", path, code) }
            guard !piece.isEmpty else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece
        }
    }

    /// Removes a tree if it is there; does not follow symlinks.
    static func remove(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        try FileManager.default.removeItem(atPath: path)
    }

    /// Removes a folder that held a mount; never what is in it.
    static func removeEmptyDirectory(_ path: String) throws {
        guard rmdir(path) == 0 || errno == ENOENT else { throw failure("remove", path, errno) }
    }

    static func unmount(_ path: String) throws {
        let code = kiln_unmount(path)
        // Not mounted, or gone.
        guard code == 0 || code == -EINVAL || code == -ENOENT else { throw failure("unmount", path, -code) }
    }

    static func failure(_ what: String, _ path: String, _ code: Int32) -> KilnError {
        if code == ENOSPC { return KilnError(.diskFull, "The disk that holds \(path) is full.", hint: "Free some room, then try again.") }
        return KilnError(.engineFailed, "Kiln could not \(what) \(path): \(String(cString: strerror(code))).")
    }
}
