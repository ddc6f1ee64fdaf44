internal import GRDB
internal import KilnModel

extension DatabaseError {
    /// What a person needs to know of a failure of SQLite.
    func kilnError(path: String) -> KilnError {
        switch resultCode {
        case .SQLITE_FULL:
            Self.diskFull(path)
        // Growing the WAL's index or its file can meet a full disk too; SQLite reports these as I/O errors.
        case .SQLITE_IOERR where extendedResultCode == .SQLITE_IOERR_SHMSIZE || extendedResultCode == .SQLITE_IOERR_WRITE:
            Self.diskFull(path)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            KilnError(.timedOut, "The store \(path) was busy for too long.", hint: "Try again.")
        case .SQLITE_NOTADB, .SQLITE_CORRUPT:
            KilnError(.internalError, "\(path) is not a readable database.", hint: "Restore it from a backup; nothing was changed.")
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
            KilnError(
                .internalError, "The store \(path) cannot be written.", hint: "See that it belongs to the user that runs kilnd."
            )
        default:
            KilnError(.internalError, "The store \(path) failed: \(message ?? "SQLite error \(extendedResultCode.rawValue)").")
        }
    }

    private static func diskFull(_ path: String) -> KilnError {
        KilnError(.diskFull, "The disk that holds \(path) is full; nothing was changed.", hint: "Free some space, then try again.")
    }
}
