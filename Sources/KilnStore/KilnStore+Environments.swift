internal import FoundationEssentials
internal import GRDB
public import KilnModel

extension KilnStore {
    /// - Parameters:
    ///   - secrets: what it is to have, by name.
    ///   - source: what it is made of, for `source(of:)`.
    /// - Throws: `name-taken`, `no-room` when no address or range is left, `not-found` when the workmachine is not there or goes.
    public func createEnvironment(
        name: Name, owner: Name, workmachine: ResourceID, services: [Service], secrets: [SecretName: SecretBytes] = [:], source: String? = nil
    ) async throws -> Environment {
        try await write { [vault] transaction in
            try transaction.requireWorkmachine(workmachine)
            let metadata = try transaction.newMetadata(.environment, name: name, owner: owner)
            let volumes = try transaction.volumeSet(for: metadata)
            var environment = Environment(
                metadata: metadata,
                spec: .init(
                    workmachine: workmachine, services: services, addressIndex: try transaction.freeAddressIndex(.environment),
                    rangeIndex: volumes.rangeIndex, volumeSet: volumes.id
                )
            )
            try transaction.insert(environment)
            try transaction.noteVolumes(of: environment)
            if let source { try transaction.setSource(source, of: metadata.id, vault) }
            guard !secrets.isEmpty else { return environment }
            try transaction.keep(secrets, of: metadata.id, in: &environment.spec, vault)
            try transaction.save(environment)
            return environment
        }
    }

    /// Gives an environment other services, the secrets they need, and the source that both were read from.
    /// - Parameters:
    ///   - removed: the secrets that it is to have no longer.
    ///   - version: the version that the services were worked out for.
    ///   - again: raise the version even when nothing changes, so that what failed is tried once more.
    /// - Throws: `not-found`; `stale-version`; `wrong-phase` when it is being deleted.
    public func apply(
        _ services: [Service], secrets: [SecretName: SecretBytes] = [:], removing removed: Set<SecretName> = [], source: String,
        to environment: ResourceID, expecting version: Int, again: Bool = false
    ) async throws -> Environment {
        try await write { [vault] transaction in
            let existing = try transaction.existing(Environment.self, environment)
            let others = try secrets.filter { name, value in try transaction.secret(name, of: environment, vault)?.value != value }
            // Another source is another version, so that of two changes made from the same one the second is refused.
            let isNew = try transaction.source(of: environment, vault) != source
            let changed = try transaction.update(existing, expecting: version, again: again || isNew) { spec in
                spec.services = services
                try transaction.keep(others, of: environment, in: &spec, vault)
                try transaction.drop(removed, of: environment, from: &spec)
            }
            try transaction.noteVolumes(of: changed)
            if isNew { try transaction.setSource(source, of: environment, vault) }
            return changed
        }
    }

    /// What an environment was made of, as it was handed in; nil when nothing was.
    public func source(of environment: ResourceID) async throws -> String? {
        try await read { [vault] in try StoreTransaction.source(of: environment, vault, in: $0) }
    }
}

/// Sources are sealed: the files beside a Compose file may hold what nobody else is to know.
extension StoreTransaction {
    fileprivate func source(of environment: ResourceID, _ vault: SecretVault) throws -> String? {
        try Self.source(of: environment, vault, in: database)
    }

    fileprivate static func source(of environment: ResourceID, _ vault: SecretVault, in db: Database) throws -> String? {
        let sealed = try Data.fetchOne(db, sql: "SELECT sealed FROM environment_source WHERE environment = ?", arguments: [environment.value])
        return try sealed.map { String(decoding: try vault.open($0, for: place(environment)), as: UTF8.self) }
    }

    fileprivate func setSource(_ source: String, of environment: ResourceID, _ vault: SecretVault) throws {
        let sealed = try vault.seal(Data(source.utf8), for: Self.place(environment))
        try database.execute(
            sql:
                "INSERT INTO environment_source (environment, sealed) VALUES (?, ?) ON CONFLICT (environment) DO UPDATE SET sealed = excluded.sealed",
            arguments: [environment.value, sealed]
        )
    }

    private static func place(_ environment: ResourceID) -> String { "\(environment) source" }
}
