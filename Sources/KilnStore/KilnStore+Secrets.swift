internal import FoundationEssentials
internal import GRDB
public import KilnModel

/// Secrets of environments. Their values are sealed in a table of their own; the environment's document holds names and versions.
extension KilnStore {
    /// Gives an environment secrets, or other values of some it has. One whose value is the same is left alone.
    /// - Throws: `not-found`; `wrong-phase` when the environment is being deleted.
    public func setSecrets(_ values: [SecretName: SecretBytes], of environment: ResourceID) async throws -> Environment {
        try await write { [vault] transaction in
            let changed = try values.filter { name, value in try transaction.secret(name, of: environment, vault)?.value != value }
            guard !changed.isEmpty else { return try transaction.existing(Environment.self, environment) }
            return try transaction.update(transaction.existing(Environment.self, environment)) { spec in
                try transaction.keep(changed, of: environment, in: &spec, vault)
            }
        }
    }

    /// - Throws: `not-found` when the environment, or the secret, is not there; `wrong-phase` when the environment is being deleted.
    public func removeSecret(_ name: SecretName, of environment: ResourceID) async throws -> Environment {
        try await write { transaction in
            try transaction.update(transaction.existing(Environment.self, environment)) { spec in
                guard let index = spec.secrets.firstIndex(where: { $0.name == name }) else {
                    throw KilnError(.notFound, "There is no secret \(name) in this environment.", hint: "See which there are: kl env secret list")
                }
                spec.secrets.remove(at: index)
                try transaction.database.execute(
                    sql: "DELETE FROM secret WHERE environment = ? AND name = ?", arguments: [environment.value, name.value])
            }
        }
    }

    /// The names and versions of an environment's secrets, sorted by name.
    /// - Throws: `not-found` when there is no such environment.
    public func secretNames(of environment: ResourceID) async throws -> [SecretVersion] {
        guard let found = try await resource(Environment.self, environment) else {
            throw KilnError(.notFound, "There is no environment with the id \(environment).")
        }
        return found.spec.secrets
    }

    /// The secrets of an environment with their values, for the engine.
    /// - Throws: `internal-error` when the key they were sealed with is not there.
    public func secretValues(of environment: ResourceID) async throws -> [SecretValue] {
        try await read { [vault] db in
            try Row.fetchAll(db, sql: "SELECT * FROM secret WHERE environment = ? ORDER BY name", arguments: [environment.value])
                .map { try SecretValue($0, vault) }
        }
    }
}

extension StoreTransaction {
    /// Keeps values and names them in the environment's spec.
    func keep(_ values: [SecretName: SecretBytes], of environment: ResourceID, in spec: inout Environment.Spec, _ vault: SecretVault) throws {
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            try database.execute(sql: "DELETE FROM secret WHERE environment = ? AND name = ?", arguments: [environment.value, name.value])
            let sealed = try vault.seal(value, for: SecretValue.place(name, of: environment))
            try database.execute(
                sql: "INSERT INTO secret (environment, name, sealed) VALUES (?, ?, ?)", arguments: [environment.value, name.value, sealed])
            // The number of the row, which is never used again: so versions grow also over a removal.
            let version = SecretVersion(name: name, version: Int(database.lastInsertedRowID))
            spec.secrets = (spec.secrets.filter { $0.name != name } + [version]).sorted { $0.name < $1.name }
        }
    }

    /// Forgets values.
    func drop(_ names: Set<SecretName>, of environment: ResourceID, from spec: inout Environment.Spec) throws {
        for name in names {
            try database.execute(sql: "DELETE FROM secret WHERE environment = ? AND name = ?", arguments: [environment.value, name.value])
        }
        spec.secrets.removeAll { names.contains($0.name) }
    }

    func secret(_ name: SecretName, of environment: ResourceID, _ vault: SecretVault) throws -> SecretValue? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM secret WHERE environment = ? AND name = ?", arguments: [environment.value, name.value]
        ).map { try SecretValue($0, vault) }
    }
}

extension SecretValue {
    fileprivate init(_ row: Row, _ vault: SecretVault) throws {
        let name = try SecretName(row["name"])
        let environment = try ResourceID(row["environment"])
        self.init(name: name, version: row["version"], value: try vault.openSecret(row["sealed"], for: Self.place(name, of: environment)))
    }

    /// What a sealed value is bound to, so that none can be put in another's place.
    static func place(_ name: SecretName, of environment: ResourceID) -> String { "\(environment)/\(name)" }
}
