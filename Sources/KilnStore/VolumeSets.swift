internal import GRDB
public import KilnModel

/// The volumes that a deleted environment left: the next one of this owner and name finds them again.
public struct KeptVolumes: Sendable, Hashable {
    public let owner: Name
    /// The environment's.
    public let name: Name
    /// Under which they lie.
    public let id: ResourceID
    /// To whose user ids all in them belongs.
    public let rangeIndex: Int
}

extension KilnStore {
    /// Volumes without an environment, by name.
    public func keptVolumes(of owner: Name) async throws -> [KeptVolumes] {
        try await read { try KeptVolumes.fetch(owner, in: $0) }
    }

    /// Takes kept volumes out of everybody's reach, before they are deleted from the disk; asking again changes nothing.
    /// - Throws: `not-found`; `in-use` while there is an environment of that name.
    public func condemnVolumes(of owner: Name, _ name: Name) async throws -> KeptVolumes {
        try await write { transaction in
            guard let found = try KeptVolumes.fetch(owner, in: transaction.database).first(where: { $0.name == name }) else {
                let isUsed = try Bool.fetchOne(
                    transaction.database, sql: "SELECT EXISTS (SELECT 1 FROM volume_set WHERE owner = ? AND name = ? AND used > 0)",
                    arguments: [owner.value, name.value])
                guard isUsed == true else {
                    throw KilnError(.notFound, "No volumes are kept of an environment \(name).", hint: "See which there are: kl env volumes")
                }
                throw KilnError(
                    .inUse, "The volumes of \(name) are in use: there is an environment of that name.",
                    hint: "Delete it with them: kl env delete \(name) --volumes")
            }
            try transaction.database.execute(sql: "UPDATE volume_set SET used = 2 WHERE id = ?", arguments: [found.id.value])
            return found
        }
    }

    /// Forgets condemned volumes once they are gone from the disk.
    public func forgetVolumes(_ volumes: KeptVolumes) async throws {
        try await write { try $0.database.execute(sql: "DELETE FROM volume_set WHERE id = ? AND used = 2", arguments: [volumes.id.value]) }
    }
}

extension KeptVolumes {
    fileprivate static func fetch(_ owner: Name, in db: Database) throws -> [KeptVolumes] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT owner, name, id, range_index FROM volume_set
                WHERE owner = ? AND used > 0 AND (owner, name) NOT IN (SELECT owner, name FROM resource WHERE kind = ?) ORDER BY name
                """,
            arguments: [owner.value, ResourceKind.environment.rawValue]
        ).map { KeptVolumes(owner: try Name($0["owner"]), name: try Name($0["name"]), id: try ResourceID($0["id"]), rangeIndex: $0["range_index"]) }
    }
}

extension StoreTransaction {
    /// The volumes a new environment gets: those that an earlier one of this owner and name left, or new ones named after it. They keep their
    /// range of user ids, to which everything in them belongs.
    func volumeSet(for environment: Metadata) throws -> (id: ResourceID, rangeIndex: Int) {
        let row = try Row.fetchOne(
            database, sql: "SELECT id, range_index, used FROM volume_set WHERE owner = ? AND name = ?",
            arguments: [environment.owner.value, environment.name.value]
        )
        if let row {
            guard row["used"] != 2 else {
                throw KilnError(
                    .nameTaken, "The volumes of an earlier environment \(environment.name) are being deleted.",
                    hint: "Wait a moment, or see to it: kl env volumes delete \(environment.name)")
            }
            return (try ResourceID(row["id"]), row["range_index"])
        }
        let rangeIndex = try freeRangeIndex()
        try database.execute(
            sql: "INSERT INTO volume_set (owner, name, id, range_index) VALUES (?, ?, ?, ?)",
            arguments: [environment.owner.value, environment.name.value, environment.id.value, rangeIndex]
        )
        return (environment.id, rangeIndex)
    }

    /// Notes that there may be data in an environment's volumes, even should its services no longer mount them.
    func noteVolumes(of environment: Environment) throws {
        guard environment.spec.services.contains(where: { !$0.volumes.isEmpty }) else { return }
        try database.execute(sql: "UPDATE volume_set SET used = 1 WHERE id = ?", arguments: [environment.spec.volumeSet.value])
    }

    /// Forgets an environment's volumes when they went with it, or when it never had any.
    func forgetVolumes(of environment: Environment) throws {
        try database.execute(
            sql: "DELETE FROM volume_set WHERE id = ? AND (used = 0 OR ?)",
            arguments: [environment.spec.volumeSet.value, environment.spec.deletesVolumes]
        )
    }
}
