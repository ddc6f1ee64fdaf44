internal import GRDB
public import KilnModel

extension KilnStore {
    /// - Parameter source: what it is made of, for `source(of:)`.
    /// - Throws: `name-taken`, `no-room` when no address or range is left, `not-found` when the workmachine is not there or goes.
    public func createEnvironment(
        name: Name, owner: Name, workmachine: ResourceID, services: [Service], source: String? = nil
    ) async throws -> Environment {
        try await write { transaction in
            try transaction.requireWorkmachine(workmachine)
            let metadata = try transaction.newMetadata(.environment, name: name, owner: owner)
            let volumes = try transaction.volumeSet(for: metadata)
            let environment = Environment(
                metadata: metadata,
                spec: .init(
                    workmachine: workmachine, services: services, addressIndex: try transaction.freeAddressIndex(.environment),
                    rangeIndex: volumes.rangeIndex, volumeSet: volumes.id
                )
            )
            try transaction.insert(environment)
            try transaction.noteVolumes(of: environment)
            if let source { try transaction.setSource(source, of: metadata.id) }
            return environment
        }
    }

    /// Gives an environment other services, and the source that they were read from.
    /// - Parameters:
    ///   - version: the version that the services were worked out for.
    ///   - again: raise the version even when the services are the same, so that what failed is tried once more.
    /// - Throws: `not-found`; `stale-version`; `wrong-phase` when it is being deleted.
    public func apply(
        _ services: [Service], source: String, to environment: ResourceID, expecting version: Int, again: Bool = false
    ) async throws -> Environment {
        try await write { transaction in
            let existing = try transaction.existing(Environment.self, environment)
            // Another source is another version, so that of two changes made from the same one the second is refused.
            let isNew = try transaction.source(of: environment) != source
            let changed = try transaction.update(existing, expecting: version, again: again || isNew) { $0.services = services }
            try transaction.noteVolumes(of: changed)
            try transaction.setSource(source, of: environment)
            return changed
        }
    }

    /// What an environment was made of, as it was handed in; nil when nothing was.
    public func source(of environment: ResourceID) async throws -> String? {
        try await read { try StoreTransaction.source(of: environment, in: $0) }
    }
}

extension StoreTransaction {
    fileprivate func source(of environment: ResourceID) throws -> String? { try Self.source(of: environment, in: database) }

    fileprivate static func source(of environment: ResourceID, in db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT text FROM environment_source WHERE environment = ?", arguments: [environment.value])
    }

    fileprivate func setSource(_ source: String, of environment: ResourceID) throws {
        try database.execute(
            sql: "INSERT INTO environment_source (environment, text) VALUES (?, ?) ON CONFLICT (environment) DO UPDATE SET text = excluded.text",
            arguments: [environment.value, source]
        )
    }
}
