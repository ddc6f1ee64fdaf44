internal import GRDB
public import KilnModel

/// Who else may use an environment.
extension KilnStore {
    /// - Throws: `not-found`; `stale-version`; `wrong-phase` when it is being deleted; `invalid-value` for its own owner.
    public func share(_ environment: ResourceID, with owners: Set<Name>, expecting version: Int? = nil) async throws -> Environment {
        try await write { transaction in
            let existing = try transaction.existing(Environment.self, environment)
            let name = existing.metadata.name
            guard !owners.contains(existing.metadata.owner) else {
                throw KilnError(.invalidValue, "\(name) is \(existing.metadata.owner)'s own.", hint: "Name another owner.")
            }
            let changed = try transaction.update(existing, expecting: version) { $0.sharedWith = Set($0.sharedWith).union(owners).sorted() }
            try transaction.noteShares(of: changed)
            return changed
        }
    }

    /// Takes that back. Their workspaces are disconnected from it in the same breath.
    /// - Throws: as `share`; `not-found` when it is not shared with one of them.
    public func unshare(_ environment: ResourceID, from owners: Set<Name>, expecting version: Int? = nil) async throws -> Environment {
        try await write { transaction in
            let existing = try transaction.existing(Environment.self, environment)
            if let stranger = owners.subtracting(existing.spec.sharedWith).min() {
                throw KilnError(
                    .notFound, "\(existing.metadata.name) is not shared with \(stranger).",
                    hint: "See with whom: kl env show \(existing.metadata.name)"
                )
            }
            let changed = try transaction.update(existing, expecting: version) { spec in spec.sharedWith.removeAll { owners.contains($0) } }
            try transaction.noteShares(of: changed)
            let linked = try Row.fetchAll(
                transaction.database, sql: "SELECT id, owner FROM resource WHERE connection = ?", arguments: [environment.value])
            for row in linked where owners.contains(try Name(row["owner"])) {
                var workspace = try transaction.existing(Workspace.self, ResourceID(row["id"]))
                workspace.spec.connection = nil
                workspace.metadata.version += 1
                try transaction.save(workspace)
            }
            return changed
        }
    }
}

extension StoreTransaction {
    fileprivate func noteShares(of environment: Environment) throws {
        let id = environment.metadata.id.value
        try database.execute(sql: "DELETE FROM share WHERE environment = ?", arguments: [id])
        for owner in environment.spec.sharedWith {
            try database.execute(sql: "INSERT INTO share (environment, owner) VALUES (?, ?)", arguments: [id, owner.value])
        }
    }
}
