internal import FoundationEssentials
internal import GRDB
internal import KilnModel

/// The pieces that the store's verbs are made of; lives as long as one write.
final class StoreTransaction {
    let database: Database
    /// When it is made.
    let time: Timestamp
    /// The last change it appended to the feed.
    private(set) var lastSequence: Int64?
    /// The resource that it made.
    private(set) var created: AuditRecord.Subject?
    private let feedLength: Int

    init(database: Database, time: Timestamp, feedLength: Int) {
        self.database = database
        self.time = time
        self.feedLength = feedLength
    }

    func resource<R: StoredResource>(_ type: R.Type, _ id: ResourceID) throws -> R? {
        let json = try String.fetchOne(
            database, sql: "SELECT document FROM resource WHERE id = ? AND kind = ?", arguments: [id.value, R.kind.rawValue]
        )
        return try json.map { try ResourceJSON.decode(R.self, from: $0) }
    }

    /// - Throws: `not-found` when there is none.
    func existing<R: StoredResource>(_ type: R.Type, _ id: ResourceID) throws -> R {
        guard let resource = try resource(type, id) else {
            throw KilnError(.notFound, "There is no \(R.kind.noun) with the id \(id).")
        }
        return resource
    }

    func insert(_ resource: some StoredResource) throws {
        let json = try ResourceJSON.encode(resource)
        let columns = resource.storedColumns
        let metadata = resource.metadata
        try database.execute(
            sql: """
                INSERT INTO resource (id, kind, owner, name, version, phase, workmachine, connection, address_index, range_index, document)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                metadata.id.value, type(of: resource).kind.rawValue, metadata.owner.value, metadata.name.value, metadata.version,
                columns.phase, columns.workmachine?.value, columns.connection?.value, columns.addressIndex, columns.rangeIndex, json,
            ]
        )
        try append(kind: type(of: resource).kind, metadata, document: json)
        created = .init(kind: type(of: resource).kind, owner: metadata.owner, name: metadata.name, id: metadata.id)
    }

    func save(_ resource: some StoredResource) throws {
        let json = try ResourceJSON.encode(resource)
        let columns = resource.storedColumns
        try database.execute(
            sql: "UPDATE resource SET version = ?, phase = ?, connection = ?, document = ? WHERE id = ?",
            arguments: [
                resource.metadata.version, columns.phase, columns.connection?.value, json, resource.metadata.id.value,
            ]
        )
        try append(kind: type(of: resource).kind, resource.metadata, document: json)
    }

    func delete(_ kind: ResourceKind, _ metadata: Metadata) throws {
        try database.execute(sql: "DELETE FROM resource WHERE id = ?", arguments: [metadata.id.value])
        try append(kind: kind, metadata, document: nil)
    }

    private func append(kind: ResourceKind, _ metadata: Metadata, document: String?) throws {
        lastSequence = try FeedTable.append(
            kind: kind, id: metadata.id, owner: metadata.owner, document: document, keeping: feedLength, in: database
        )
    }
}

/// Resources to and from the JSON in the store, which is also the JSON of the API: it goes out as it lies here.
enum ResourceJSON {
    static func encode(_ resource: some StoredResource) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(resource), as: UTF8.self)
    }

    static func decode<R: StoredResource>(_ type: R.Type, from json: String) throws -> R {
        do {
            return try JSONDecoder().decode(R.self, from: Data(json.utf8))
        } catch {
            throw KilnError(.internalError, "A \(R.kind.noun) in the store cannot be read: \(error).")
        }
    }
}
