internal import GRDB
public import KilnModel

/// What a new workspace is made from.
public struct WorkspaceDraft: Sendable {
    public var workmachine: ResourceID
    public var image: ImageReference
    public var limits: ResourceLimits
    public var variables: [EnvironmentVariable]
    public var repository: RepositoryURL?
    public var packages: [LockedPackage]

    public init(
        workmachine: ResourceID, image: ImageReference, limits: ResourceLimits, variables: [EnvironmentVariable] = [],
        repository: RepositoryURL? = nil, packages: [LockedPackage] = []
    ) {
        self.workmachine = workmachine
        self.image = image
        self.limits = limits
        self.variables = variables
        self.repository = repository
        self.packages = packages
    }
}

extension KilnStore {
    /// - Throws: `name-taken`, or `no-room` when no user-id range is left.
    public func createWorkmachine(name: Name, owner: Name) async throws -> Workmachine {
        try await write { transaction in
            let workmachine = Workmachine(
                metadata: try transaction.newMetadata(.workmachine, name: name, owner: owner),
                spec: .init(rangeIndex: try transaction.freeRangeIndex())
            )
            try transaction.insert(workmachine)
            return workmachine
        }
    }

    /// - Throws: `name-taken`, `no-room` when no address is left, `not-found` when the workmachine is not there or goes.
    public func createWorkspace(name: Name, owner: Name, _ draft: WorkspaceDraft) async throws -> Workspace {
        try await write { transaction in
            try transaction.requireWorkmachine(draft.workmachine)
            var workspace = Workspace(
                metadata: try transaction.newMetadata(.workspace, name: name, owner: owner),
                spec: .init(
                    workmachine: draft.workmachine, image: draft.image, limits: draft.limits, variables: draft.variables,
                    repository: draft.repository, addressIndex: try transaction.freeAddressIndex(.workspace)
                )
            )
            let first = draft.packages.isEmpty ? nil : workspace.take(draft.packages, as: .create, now: transaction.time)
            try transaction.insert(workspace)
            if let first { try transaction.note(first, of: workspace.metadata.id) }
            return workspace
        }
    }
}

extension StoreTransaction {
    func requireWorkmachine(_ id: ResourceID) throws {
        let workmachine = try existing(Workmachine.self, id)
        guard workmachine.metadata.deletionRequestedAt == nil else {
            throw KilnError(.notFound, "The workmachine \(workmachine.metadata.name) is being deleted.")
        }
    }
}
