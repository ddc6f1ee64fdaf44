internal import Glibc
internal import KilnModel

/// Whether the disk below a directory takes what is written, and for how long it will.
struct DiskProbe {
    let directory: String
    /// Bytes that must be free: SQLite, its journal, and a build context of middling size.
    static let least = 256 << 20
    /// What is written for a try.
    private static let size = 1 << 16

    /// - Returns: what was found.
    /// - Throws: `disk-full`; `internal-error` when it cannot be written for another reason.
    func run() throws(KilnError) -> String {
        try write()
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { throw failure("is not there") }
        let free = Int(status.f_bavail) * Int(status.f_frsize)
        guard free >= Self.least else {
            throw KilnError(
                .diskFull, "The disk that holds \(directory) has \(free >> 20) MiB left.",
                hint: "Free some space there: df -h \(directory)")
        }
        return "\(free >> 20) MiB free below \(directory), and it takes what is written"
    }

    private func write() throws(KilnError) {
        let path = "\(directory)/.\(ResourceID.random()).probe"
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("cannot be written") }
        defer {
            close(descriptor)
            unlink(path)
        }
        let bytes = [UInt8](repeating: 0x4b, count: Self.size)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else { throw failure("cannot be written") }
    }

    private func failure(_ what: String) -> KilnError {
        let cause = String(cString: strerror(errno))
        if errno == ENOSPC || errno == EDQUOT {
            return KilnError(.diskFull, "The disk that holds \(directory) is full.", hint: "Free some space there: df -h \(directory)")
        }
        return KilnError(.internalError, "\(directory) \(what): \(cause).", hint: "See that it belongs to the user that runs kilnd: make up")
    }
}
