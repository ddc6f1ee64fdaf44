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

/// For whom a store is changed.
public protocol ChangeAuthor: Sendable {
    /// What the audit is to say of a change; nil when it is to say nothing, or has said it.
    /// - Parameter created: the resource that the change makes.
    func record(creating created: AuditRecord.Subject?) -> AuditRecord?

    /// The record was committed, with the change.
    func noted()
}

extension KilnStore {
    /// Notes a request that changed nothing here; its place and time are given here. The last ones may be lost with the power.
    public func audit(_ record: AuditRecord) async throws {
        try await write(durable: false) { try AuditTable.append(record, at: $0.time, in: $0.database) }
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
        time = Timestamp(seconds: row["time"])
    }
}
