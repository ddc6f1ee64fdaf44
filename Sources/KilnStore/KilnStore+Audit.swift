internal import FoundationEssentials
internal import GRDB
public import KilnModel

/// Which audit records are wanted; what is nil does not restrict them.
public struct AuditFilter: Sendable, Hashable {
    /// Who asked.
    public var owner: Name?
    /// The operation.
    public var action: String?
    /// Only what was not done.
    public var refused: Bool

    public init(owner: Name? = nil, action: String? = nil, refused: Bool = false) {
        self.owner = owner
        self.action = action
        self.refused = refused
    }
}

extension KilnStore {
    /// Notes a request; its place and time are given here. The database itself refuses to change or delete what was noted.
    public func audit(_ record: AuditRecord) async throws {
        // After the change that it tells of, whose flush it need not repeat.
        try await write(durable: false) { transaction in
            let text = String(decoding: try JSONEncoder().encode(record), as: UTF8.self)
            try transaction.database.execute(
                sql: "INSERT INTO audit (time, owner, action, status, record) VALUES (?, ?, ?, ?, ?)",
                arguments: [transaction.time, record.actor.owner.value, record.action, record.status, text])
        }
    }

    /// Records, the newest first.
    /// - Parameter before: the `next` of the page before.
    public func auditRecords(
        where filter: AuditFilter = .init(), before: Int? = nil, limit: Int
    ) async throws -> (records: [AuditRecord], next: Int?) {
        var conditions = ["sequence < ?"]
        var arguments: [(any DatabaseValueConvertible)?] = [before ?? Int.max]
        if let owner = filter.owner {
            conditions.append("owner = ?")
            arguments.append(owner.value)
        }
        if let action = filter.action {
            conditions.append("action = ?")
            arguments.append(action)
        }
        if filter.refused { conditions.append("status >= 400") }
        let sql = "SELECT * FROM audit WHERE \(conditions.joined(separator: " AND ")) ORDER BY sequence DESC LIMIT \(limit + 1)"
        let values = StatementArguments(arguments)
        let records = try await read { db in try Row.fetchAll(db, sql: sql, arguments: values).map(AuditRecord.init) }
        guard records.count > limit else { return (records, nil) }
        return (Array(records.dropLast()), records[limit - 1].sequence)
    }
}

extension AuditRecord {
    fileprivate init(_ row: Row) throws {
        let text: String = row["record"]
        self = try JSONDecoder().decode(AuditRecord.self, from: Data(text.utf8))
        sequence = row["sequence"]
        time = row["time"]
    }
}
