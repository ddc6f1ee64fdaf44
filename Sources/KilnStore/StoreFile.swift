internal import Glibc
internal import KilnModel

/// The file below SQLite: private from its first byte on.
enum StoreFile {
    /// Makes an empty file with mode 0600 where there is none; SQLite gives its journal files the same mode. Made by root in another user's
    /// directory, it becomes that user's, so that `kilnd token create` may run before kilnd ever did.
    static func prepare(at path: String) throws(KilnError) {
        close(try opened(path))
    }

    /// Runs `body` while no other process does for this path. By a file beside it: closing the store's own would drop SQLite's locks.
    static func exclusively<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        let descriptor = try opened("\(path).lock")
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 { guard errno == EINTR else { throw failure("\(path).lock") } }
        return try body()
    }

    private static func opened(_ path: String) throws(KilnError) -> CInt {
        let descriptor = open(path, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path) }
        var directory = stat()
        let isReady =
            fchmod(descriptor, 0o600) == 0
            && (geteuid() != 0
                || stat(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) + "/", &directory) == 0
                    && fchown(descriptor, directory.st_uid, directory.st_gid) == 0)
        guard isReady else {
            let error = failure(path)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func failure(_ path: String) -> KilnError {
        let cause = String(cString: strerror(errno))
        return KilnError(
            .internalError, "The store \(path) cannot be opened: \(cause).",
            hint: "See that its directory exists and belongs to the user that runs kilnd."
        )
    }
}
