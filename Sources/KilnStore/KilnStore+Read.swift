internal import GRDB
public import KilnModel

/// Which resources a list is about; what is nil does not restrict it.
public struct ResourceFilter: Sendable, Hashable {
    public var owner: Name?
    /// What this owner has, and what others share with them.
    public var visibleTo: Name?
    public var workmachine: ResourceID?
    public var id: ResourceID?
    public var phase: String?
    public var namePrefix: String?

    public init(
        owner: Name? = nil, visibleTo: Name? = nil, workmachine: ResourceID? = nil, id: ResourceID? = nil, phase: String? = nil,
        namePrefix: String? = nil
    ) {
        self.owner = owner
        self.visibleTo = visibleTo
        self.workmachine = workmachine
        self.id = id
        self.phase = phase
        self.namePrefix = namePrefix
    }
}

/// A resource as its JSON, undecoded.
public struct Document: Sendable, Hashable {
    public let id: ResourceID
    public let owner: Name
    public let name: Name
    public let version: Int
    /// The other owners who may use it.
    public let sharedWith: Set<Name>
    /// Of a workspace: the environment it is, or wants to be, connected to.
    public let connection: ResourceID?
    public let json: String

    /// The resource, decoded.
    public func resource<R: StoredResource>(_ type: R.Type) throws -> R { try ResourceJSON.decode(type, from: json) }
}

/// Documents in the order of owner and name.
public struct DocumentPage: Sendable, Hashable {
    public let documents: [Document]
    /// Where the next page starts; nil when this is the last one.
    public let next: QualifiedName?
}

extension KilnStore {
    public func resource<R: StoredResource>(_ type: R.Type, _ id: ResourceID) async throws -> R? {
        let json = try await read { db in try Self.json(db, R.kind, id.value) }
        return try json.map { try ResourceJSON.decode(type, from: $0) }
    }

    /// A workspace with its workmachine and the environment that it wants to be connected to, as they are at one moment.
    public func setting(of workspace: ResourceID) async throws -> (workspace: Workspace, workmachine: Workmachine?, environment: Environment?)? {
        let found = try await read { db -> (String, String?, String?)? in
            guard
                let row = try Row.fetchOne(
                    db, sql: "SELECT document, workmachine, connection FROM resource WHERE id = ? AND kind = ?",
                    arguments: [workspace.value, ResourceKind.workspace.rawValue])
            else { return nil }
            return (
                row["document"], try Self.json(db, .workmachine, row["workmachine"]),
                try Self.json(db, .environment, row["connection"])
            )
        }
        return try found.map { workspace, workmachine, environment in
            (
                try ResourceJSON.decode(Workspace.self, from: workspace), try workmachine.map { try ResourceJSON.decode(Workmachine.self, from: $0) },
                try environment.map { try ResourceJSON.decode(Environment.self, from: $0) }
            )
        }
    }

    public func resource<R: StoredResource>(_ type: R.Type, owner: Name, name: Name) async throws -> R? {
        let document = try await document(R.kind, owner: owner, name: name)
        return try document.map { try ResourceJSON.decode(type, from: $0.json) }
    }

    public func document(_ kind: ResourceKind, _ id: ResourceID) async throws -> Document? {
        try await read { db in try Self.document(db, kind, id) }
    }

    public func document(_ kind: ResourceKind, owner: Name, name: Name) async throws -> Document? {
        try await read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT \(Document.columns) FROM resource WHERE kind = ? AND owner = ? AND name = ?",
                arguments: [kind.rawValue, owner.value, name.value]
            )
            return try row.map(Document.init)
        }
    }

    /// A document, and the place in the feed at which it was so.
    public func snapshot(_ id: ResourceID) async throws -> (sequence: Int64, kind: ResourceKind, document: Document)? {
        try await read { db in
            for kind in ResourceKind.allCases {
                if let document = try Self.document(db, kind, id) { return (try FeedTable.lastSequence(db), kind, document) }
            }
            return nil
        }
    }

    /// - Parameters:
    ///   - after: the `next` of the page before.
    ///   - limit: how many at most.
    public func documents(
        _ kind: ResourceKind, where filter: ResourceFilter = .init(), after: QualifiedName? = nil, limit: Int
    ) async throws -> DocumentPage {
        var conditions = ["kind = ?"]
        var arguments: [String?] = [kind.rawValue]
        func require(_ condition: String, _ values: String?...) {
            conditions.append(condition)
            arguments.append(contentsOf: values)
        }
        if let owner = filter.owner { require("owner = ?", owner.value) }
        if let viewer = filter.visibleTo {
            require("(owner = ? OR id IN (SELECT environment FROM share WHERE owner = ?))", viewer.value, viewer.value)
        }
        if let workmachine = filter.workmachine { require("workmachine = ?", workmachine.value) }
        if let id = filter.id { require("id = ?", id.value) }
        if let phase = filter.phase { require("phase = ?", phase) }
        // Names hold only a-z, 0-9 and -, all of which sort before "{".
        if let prefix = filter.namePrefix { require("name >= ? AND name < ?", prefix, prefix + "{") }
        if let after, let owner = after.owner { require("(owner, name) > (?, ?)", owner.value, after.name.value) }
        let sql = """
            SELECT \(Document.columns) FROM resource WHERE \(conditions.joined(separator: " AND "))
            ORDER BY owner, name LIMIT \(limit + 1)
            """
        let values = StatementArguments(arguments)
        let documents = try await read { db in try Row.fetchAll(db, sql: sql, arguments: values).map(Document.init) }
        guard documents.count > limit, let last = documents.dropLast().last else { return DocumentPage(documents: documents, next: nil) }
        return DocumentPage(documents: documents.dropLast(), next: QualifiedName(owner: last.owner, name: last.name))
    }

    /// As `documents`, decoded.
    public func list<R: StoredResource>(
        _ type: R.Type, where filter: ResourceFilter = .init(), after: QualifiedName? = nil, limit: Int
    ) async throws -> (items: [R], next: QualifiedName?) {
        let page = try await documents(R.kind, where: filter, after: after, limit: limit)
        return (try page.documents.map { try ResourceJSON.decode(type, from: $0.json) }, page.next)
    }

    private static func json(_ db: Database, _ kind: ResourceKind, _ id: String?) throws -> String? {
        try id.flatMap {
            try String.fetchOne(db, sql: "SELECT document FROM resource WHERE id = ? AND kind = ?", arguments: [$0, kind.rawValue])
        }
    }

    private static func document(_ db: Database, _ kind: ResourceKind, _ id: ResourceID) throws -> Document? {
        let row = try Row.fetchOne(
            db, sql: "SELECT \(Document.columns) FROM resource WHERE id = ? AND kind = ?", arguments: [id.value, kind.rawValue]
        )
        return try row.map(Document.init)
    }
}

extension Document {
    fileprivate static let columns = """
        id, owner, name, version, connection, document,
        (SELECT group_concat(owner) FROM share WHERE environment = resource.id) AS guests
        """

    init(_ row: Row) throws {
        id = try ResourceID(row["id"])
        owner = try Name(row["owner"])
        name = try Name(row["name"])
        version = row["version"]
        let guests: String? = row["guests"]
        sharedWith = Set(try (guests ?? "").split(separator: ",").map { try Name(String($0)) })
        connection = try (row["connection"] as String?).map { text throws(KilnError) in try ResourceID(text) }
        json = row["document"]
    }
}
