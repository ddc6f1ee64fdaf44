internal import GRDB
internal import KilnModel

extension StoreTransaction {
    /// Identity for a new resource: a name nobody of this owner and kind has, and an id that was never used.
    func newMetadata(_ kind: ResourceKind, name: Name, owner: Name) throws -> Metadata {
        let row = try Row.fetchOne(
            database, sql: "SELECT phase FROM resource WHERE kind = ? AND owner = ? AND name = ?",
            arguments: [kind.rawValue, owner.value, name.value]
        )
        if let row {
            let phase: String = row["phase"]
            guard phase != "Deleting" else {
                throw KilnError(.nameTaken, "The \(kind.noun) \(name) is still being deleted.", hint: "Wait a moment, then try again.")
            }
            throw KilnError(
                .nameTaken, "There is already a \(kind.noun) named \(name).",
                hint: "Choose another name, or delete it first: \(kind.command) delete \(name)"
            )
        }
        return Metadata(id: try unusedID(), name: name, owner: owner, createdAt: time)
    }

    private func unusedID() throws -> ResourceID {
        while true {
            let id = ResourceID.random()
            try database.execute(sql: "INSERT OR IGNORE INTO issued_id (id) VALUES (?)", arguments: [id.value])
            if database.changesCount == 1 { return id }
        }
    }

    /// The lowest address index, from 1, that no other resource of the kind has.
    func freeAddressIndex(_ kind: ResourceKind) throws -> Int {
        let index = try Int.fetchOne(
            database,
            sql: """
                SELECT min(candidate) FROM (
                    SELECT 1 AS candidate UNION ALL SELECT address_index + 1 FROM resource WHERE kind = :kind AND address_index IS NOT NULL
                ) WHERE candidate NOT IN (SELECT address_index FROM resource WHERE kind = :kind AND address_index IS NOT NULL)
                """,
            arguments: ["kind": kind.rawValue]
        )
        guard let index, index <= AddressPlan.maximumIndex else {
            throw KilnError(
                .noRoom, "All \(AddressPlan.maximumIndex) addresses for \(kind.rawValue) are taken.",
                hint: "Delete one that is no longer needed: \(kind.command) delete NAME"
            )
        }
        return index
    }

    /// The lowest user-id range that neither a workmachine nor an environment has.
    func freeRangeIndex() throws -> Int {
        let index = try Int.fetchOne(
            database,
            sql: """
                WITH taken AS (
                    SELECT range_index FROM resource WHERE range_index IS NOT NULL UNION SELECT range_index FROM volume_set
                )
                SELECT min(candidate) FROM (
                    SELECT 0 AS candidate UNION ALL SELECT range_index + 1 FROM taken
                ) WHERE candidate NOT IN (SELECT range_index FROM taken)
                """
        )
        guard let index, index < Instance.rangeCount else {
            throw KilnError(
                .noRoom, "All \(Instance.rangeCount) user-id ranges of workmachines and environments are taken.",
                hint: "Delete an environment that is no longer needed: kl env delete NAME"
            )
        }
        return index
    }
}
