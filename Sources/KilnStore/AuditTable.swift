internal import FoundationEssentials
internal import GRDB
internal import KilnModel

/// The table of what was asked for. The database itself refuses to change a record, and to delete one that is within these bounds.
enum AuditTable {
    /// Records that are kept.
    private static let count: Int64 = 100_000
    /// Seconds that one is kept.
    private static let age = 90.0 * 86_400
    /// Records that one more drives out at most: the table shrinks to its bounds bit by bit, and no request waits for it.
    private static let step = 64

    static func append(_ record: AuditRecord, at time: Timestamp, in db: Database) throws {
        let text = String(decoding: try JSONEncoder().encode(record), as: UTF8.self)
        try db.execute(
            sql: "INSERT INTO audit (time, owner, action, status, record) VALUES (?, ?, ?, ?, ?)",
            arguments: [time.seconds, record.actor.owner.value, record.action, record.status, text])
        try db.execute(
            sql: """
                DELETE FROM audit WHERE sequence IN (
                    SELECT sequence FROM (SELECT sequence, time FROM audit ORDER BY sequence LIMIT ?) WHERE sequence <= ? OR time < ?
                )
                """,
            arguments: [step, db.lastInsertedRowID - count, time.seconds - age])
    }
}
