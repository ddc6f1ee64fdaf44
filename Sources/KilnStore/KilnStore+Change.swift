internal import GRDB
public import KilnModel

extension KilnStore {
    /// Changes a resource's spec and raises its version; a change that changes nothing is none.
    /// - Parameters:
    ///   - version: the version the change was made from; nil: whatever it is.
    ///   - again: raise the version even when nothing changes, so that what failed is tried once more.
    /// - Throws: `not-found`; `stale-version`; `wrong-phase` when it is being deleted; what `change` throws.
    public func update<R: StoredResource>(
        _ type: R.Type, _ id: ResourceID, expecting version: Int? = nil, again: Bool = false,
        change: @escaping @Sendable (inout R.Spec) throws -> Void
    ) async throws -> R {
        try await write { transaction in
            try transaction.update(transaction.existing(type, id), expecting: version, again: again, change: change)
        }
    }

    /// Links a workspace to an environment, instead of the one it may be linked to.
    /// - Throws: `not-found`, or `wrong-phase` when either is being deleted.
    public func connect(
        _ workspace: ResourceID, to environment: ResourceID, expecting version: Int? = nil, again: Bool = false
    ) async throws -> Workspace {
        try await write { transaction in
            let target = try transaction.existing(Environment.self, environment)
            guard target.metadata.deletionRequestedAt == nil else { throw KilnError.isBeingDeleted(target) }
            return try transaction.update(transaction.existing(Workspace.self, workspace), expecting: version, again: again) {
                $0.connection = environment
            }
        }
    }

    /// Unlinks all workspaces from an environment.
    public func disconnectAll(from environment: ResourceID) async throws {
        try await write { transaction in
            let ids = try String.fetchAll(
                transaction.database, sql: "SELECT id FROM resource WHERE connection = ?", arguments: [environment.value]
            )
            for id in ids {
                var workspace = try transaction.existing(Workspace.self, ResourceID(id))
                workspace.spec.connection = nil
                workspace.metadata.version += 1
                try transaction.save(workspace)
            }
        }
    }

    /// Says what was observed; the version stays, and an equal status is no change.
    /// - Returns: the resource as it is now, or nil when it is gone.
    @discardableResult
    public func setStatus<R: StoredResource>(_ type: R.Type, _ id: ResourceID, _ status: R.Status) async throws -> R? {
        try await write(durable: false) { transaction in
            guard var resource = try transaction.resource(type, id) else { return nil }
            guard resource.status != status else { return resource }
            resource.status = status
            try transaction.save(resource)
            return resource
        }
    }

    /// Asks for a resource to be deleted; asking again changes nothing. It vanishes with `finishDeletion`.
    /// - Parameter change: a last change of the spec in the same breath, whether to take volumes along, say.
    /// - Throws: `not-found`; `stale-version`; `in-use` for a workmachine that still hosts something.
    public func requestDeletion<R: StoredResource>(
        _ type: R.Type, _ id: ResourceID, expecting version: Int? = nil,
        change: @escaping @Sendable (inout R.Spec) -> Void = { _ in }
    ) async throws -> R {
        try await write { transaction in
            var resource = try transaction.existing(type, id)
            try transaction.require(version, of: resource)
            if R.kind == .workmachine { try transaction.requireUnused(resource.metadata) }
            guard resource.metadata.deletionRequestedAt == nil else { return resource }
            change(&resource.spec)
            resource.metadata.deletionRequestedAt = transaction.time
            resource.metadata.version += 1
            try transaction.save(resource)
            return resource
        }
    }

    /// Forgets a resource of which nothing is left. Does nothing when it is forgotten already.
    /// - Throws: `in-use` when another resource still refers to it; `internal-error` when nobody asked for its deletion.
    public func finishDeletion<R: StoredResource>(_ type: R.Type, _ id: ResourceID) async throws {
        try await write { transaction in
            guard let resource = try transaction.resource(type, id) else { return }
            guard resource.metadata.deletionRequestedAt != nil else {
                throw KilnError(.internalError, "Nobody asked to delete the \(R.kind.noun) \(resource.metadata.name).")
            }
            if let environment = resource as? Environment { try transaction.forgetVolumes(of: environment) }
            do {
                try transaction.delete(R.kind, resource.metadata)
            } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_FOREIGNKEY {
                throw KilnError(.inUse, "Something still refers to the \(R.kind.noun) \(resource.metadata.name).")
            }
        }
    }
}

extension StoreTransaction {
    /// - Throws: `stale-version` unless the resource is at `version`; nil: whatever it is.
    func require(_ version: Int?, of resource: some StoredResource) throws(KilnError) {
        if let version, version != resource.metadata.version { throw KilnError.staleVersion(resource, expected: version) }
    }

    func update<R: StoredResource>(
        _ resource: R, expecting version: Int? = nil, again: Bool = false, change: (inout R.Spec) throws -> Void
    ) throws -> R {
        var resource = resource
        try require(version, of: resource)
        guard resource.metadata.deletionRequestedAt == nil else { throw KilnError.isBeingDeleted(resource) }
        let before = resource.spec
        try change(&resource.spec)
        guard again || resource.spec != before else { return resource }
        resource.metadata.version += 1
        try save(resource)
        return resource
    }

    fileprivate func requireUnused(_ metadata: Metadata) throws {
        let rows = try Row.fetchAll(
            database, sql: "SELECT kind, name FROM resource WHERE workmachine = ? ORDER BY kind DESC, name LIMIT 3",
            arguments: [metadata.id.value]
        )
        guard let first = rows.first, let kind = ResourceKind(rawValue: first["kind"]) else { return }
        let names = rows.map { $0["name"] as String }.joined(separator: ", ")
        throw KilnError(
            .inUse, "The workmachine \(metadata.name) still hosts \(names).",
            hint: "Delete what it hosts first: \(kind.command) delete \(first["name"] as String)"
        )
    }
}

extension KilnError {
    fileprivate static func staleVersion(_ resource: some StoredResource, expected: Int) -> KilnError {
        KilnError(
            .staleVersion,
            "The \(type(of: resource).kind.noun) \(resource.metadata.name) has changed: "
                + "it is at version \(resource.metadata.version), the request was made from \(expected).",
            hint: "Read it again, then repeat the change."
        )
    }

    static func isBeingDeleted(_ resource: some StoredResource) -> KilnError {
        KilnError(.wrongPhase, "The \(type(of: resource).kind.noun) \(resource.metadata.name) is being deleted.")
    }
}
