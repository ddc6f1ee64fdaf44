internal import GRDB
internal import KilnModel

/// The table behind the change feed.
enum FeedTable {
    /// Sequences between two prunings: pruning deletes a batch at once instead of a row with every write.
    private static let pruneInterval: Int64 = 256

    static func append(
        kind: ResourceKind, id: ResourceID, owner: Name, document: String?, keeping length: Int, in db: Database
    ) throws -> Int64 {
        try db.execute(
            sql: "INSERT INTO feed (kind, id, owner, document) VALUES (?, ?, ?, ?)",
            arguments: [kind.rawValue, id.value, owner.value, document]
        )
        let sequence = db.lastInsertedRowID
        if sequence % min(pruneInterval, Int64(max(length, 1))) == 0 {
            try db.execute(sql: "DELETE FROM feed WHERE sequence <= ?", arguments: [sequence - Int64(length)])
        }
        return sequence
    }

    /// The last sequence ever handed out, pruned or not; 0 before the first.
    static func lastSequence(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'feed'") ?? 0
    }

    /// The changes after a sequence, oldest first.
    /// - Throws: `events-expired` when some of them are gone, or `sequence` was never handed out.
    static func changes(after sequence: Int64, limit: Int, in db: Database) throws -> [Change] {
        let last = try lastSequence(db)
        let oldest = try Int64.fetchOne(db, sql: "SELECT min(sequence) FROM feed") ?? last + 1
        guard sequence >= oldest - 1, sequence <= last else { throw KilnError.eventsExpired }
        let rows = try Row.fetchCursor(
            db, sql: "SELECT sequence, kind, id, owner, document FROM feed WHERE sequence > ? ORDER BY sequence LIMIT ?",
            arguments: [sequence, limit]
        )
        var changes: [Change] = []
        while let row = try rows.next() {
            guard let kind = ResourceKind(rawValue: row["kind"]) else { continue }
            changes.append(
                Change(
                    sequence: row["sequence"], kind: kind, id: try ResourceID(row["id"]), owner: try Name(row["owner"]),
                    document: row["document"]
                )
            )
        }
        return changes
    }
}
