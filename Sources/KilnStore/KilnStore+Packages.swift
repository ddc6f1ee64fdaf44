internal import GRDB
public import KilnModel

/// The packages of workspaces: the list in the spec, every earlier one in a table beside it.
extension KilnStore {
    /// Gives a workspace another list of packages. The same list again is no change; where the last one failed it is tried once more.
    /// - Parameters:
    ///   - version: the version of the workspace the change was made from; nil: whatever it is.
    ///   - isAtomic: whether one package that cannot be had keeps the whole list away.
    ///   - change: gets the list as it is now.
    /// - Returns: the workspace, and what is different from before.
    /// - Throws: `not-found`; `stale-version`; `wrong-phase` when it is being deleted; `no-room` for a list too long; what `change` throws.
    public func changePackages(
        of workspace: ResourceID, expecting version: Int? = nil, as deed: PackageGeneration.Deed, isAtomic: Bool = false,
        _ change: @escaping @Sendable ([LockedPackage]) throws -> [LockedPackage]
    ) async throws -> (workspace: Workspace, changes: [PackageChange]) {
        try await write { transaction in
            let before = try transaction.existing(Workspace.self, workspace)
            let packages = try change(before.spec.packages)
            return try transaction.setPackages(packages, of: before, expecting: version, as: deed, isAtomic: isAtomic)
        }
    }

    /// Gives a workspace the list of an earlier generation.
    /// - Parameter generation: nil: the one before, and after a rollback the one before that.
    /// - Throws: `not-found` when there is none, or it is no longer kept; as `changePackages`.
    public func rollBackPackages(
        of workspace: ResourceID, to generation: Int? = nil, expecting version: Int? = nil
    ) async throws -> (workspace: Workspace, changes: [PackageChange]) {
        try await write { transaction in
            let before = try transaction.existing(Workspace.self, workspace)
            let history = try PackageTable.generations(of: workspace, newest: PackageGeneration.keptCount, in: transaction.database)
            guard let current = history.first else {
                throw KilnError(
                    .notFound, "The workspace \(before.metadata.name) never had a package, so there is nothing to go back to.",
                    hint: "kl pkg add NAME")
            }
            let wanted = generation ?? current.before(passing: Set(history.filter(\.didFail).map(\.number)))
            let packages = try history.list(of: wanted, in: before)
            return try transaction.setPackages(packages, of: before, expecting: version, as: .rollback, restored: wanted)
        }
    }

    /// The lists a workspace has had, newest first.
    public func packageHistory(
        of workspace: ResourceID, newest limit: Int = PackageGeneration.toldCount
    ) async throws -> [PackageGeneration] {
        try await read { try PackageTable.generations(of: workspace, newest: limit, in: $0) }
    }

    /// One of the lists a workspace has had; nil when it is not known any more.
    public func packageGeneration(_ number: Int, of workspace: ResourceID) async throws -> PackageGeneration? {
        try await read { try PackageTable.generation(number, of: workspace, in: $0) }
    }

    /// Takes back what could not be had of a generation, unless the list was changed meanwhile.
    /// - Parameters:
    ///   - failures: what could not be had, and why.
    ///   - packages: the list without it.
    /// - Returns: whether there was something to take back.
    public func withdrawPackages(
        _ failures: [PackageFailure], of workspace: ResourceID, generation: Int, leaving packages: [LockedPackage]
    ) async throws -> Bool {
        try await write { transaction in
            guard var current = try transaction.resource(Workspace.self, workspace), current.metadata.deletionRequestedAt == nil,
                current.spec.packageGeneration == generation, current.spec.packages != packages
            else { return false }
            try transaction.noteFailure(of: generation, of: workspace)
            current.status.packages?.failures = failures
            _ = try transaction.setPackages(packages, of: current, as: .withdraw)
            return true
        }
    }
}

extension StoreTransaction {
    fileprivate func setPackages(
        _ packages: [LockedPackage], of before: Workspace, expecting version: Int? = nil, as deed: PackageGeneration.Deed, restored: Int? = nil,
        isAtomic: Bool = false
    ) throws -> (workspace: Workspace, changes: [PackageChange]) {
        guard packages.count <= [LockedPackage].maximumPackages else {
            throw KilnError(.noRoom, "A workspace has \([LockedPackage].maximumPackages) packages at most.", hint: "kl pkg remove NAME")
        }
        var changed = before
        guard packages != before.spec.packages else {
            guard before.status.packages?.phase == .failed else { return (try update(before, expecting: version) { _ in }, []) }
            changed.beginInstalling(now: time)
            return (try update(changed, expecting: version, again: true) { _ in }, [])
        }
        let generation = changed.take(packages, as: deed, restored: restored, isAtomic: isAtomic, now: time)
        let saved = try update(changed, expecting: version, again: true) { _ in }
        try note(generation, of: saved.metadata.id)
        return (saved, generation.changes)
    }

    func note(_ generation: PackageGeneration, of workspace: ResourceID) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO package_generation (workspace, number, document) VALUES (?, ?, ?)",
            arguments: [workspace.value, generation.number, try PackageTable.text(of: generation)])
        try database.execute(
            sql: "DELETE FROM package_generation WHERE workspace = ? AND number <= ?",
            arguments: [workspace.value, generation.number - PackageGeneration.toldCount])
    }

    fileprivate func noteFailure(of number: Int, of workspace: ResourceID) throws {
        try database.execute(
            sql: "UPDATE package_generation SET document = json_set(document, '$.didFail', json('true')) WHERE workspace = ? AND number = ?",
            arguments: [workspace.value, number])
    }
}

extension [PackageGeneration] {
    fileprivate func list(of number: Int, in workspace: Workspace) throws(KilnError) -> [LockedPackage] {
        // Before the first one it had nothing.
        if number == 0 { return [] }
        guard let found = first(where: { $0.number == number }) else {
            throw KilnError(
                .notFound, "Generation \(number) of the packages of \(workspace.metadata.name) is not kept; the last \(count) are.",
                hint: "kl pkg history")
        }
        return found.packages
    }
}

extension Workspace {
    /// Takes another list and says that it is being installed.
    /// - Returns: what the history is to say.
    mutating func take(
        _ packages: [LockedPackage], as deed: PackageGeneration.Deed, restored: Int? = nil, isAtomic: Bool = false, now: Timestamp
    ) -> PackageGeneration {
        let changes = PackageChange.between(spec.packages, packages)
        spec.packages = packages
        spec.packageGeneration += 1
        beginInstalling(now: now)
        // What was taken back is told of until something else is asked for.
        if deed != .withdraw { status.packages?.failures = [] }
        return PackageGeneration(
            number: spec.packageGeneration, createdAt: now, deed: deed, restored: restored, changes: changes, packages: packages,
            isAtomic: isAtomic)
    }

    fileprivate mutating func beginInstalling(now: Timestamp) {
        // The version that this becomes says nothing new of the rest of the workspace.
        if status.observedVersion == metadata.version { status.observedVersion += 1 }
        var packages = status.packages ?? PackagesStatus(phase: .installing, generation: 0, since: now)
        if packages.phase != .installing { packages.since = now }
        packages.phase = .installing
        packages.progress = nil
        packages.reason = nil
        status.packages = packages
    }
}
