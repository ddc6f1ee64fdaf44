internal import GRDB
internal import KilnModel

extension StoreTransaction {
    /// The volumes a new environment gets: those that an earlier one of this owner and name left, or new ones named after it. They keep their
    /// range of user ids, to which everything in them belongs.
    func volumeSet(for environment: Metadata) throws -> (id: ResourceID, rangeIndex: Int) {
        let row = try Row.fetchOne(
            database, sql: "SELECT id, range_index FROM volume_set WHERE owner = ? AND name = ?",
            arguments: [environment.owner.value, environment.name.value]
        )
        if let row { return (try ResourceID(row["id"]), row["range_index"]) }
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
