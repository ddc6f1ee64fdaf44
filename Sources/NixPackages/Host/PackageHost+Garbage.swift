public import KilnModel

extension PackageHost {
    /// What a collection did.
    public struct Collection: Sendable, Equatable {
        /// Bytes.
        public var freed: Int
        public var paths: Int
        /// Whether there is more to collect.
        public var isPartial: Bool
    }

    /// Bytes that one run of Nix frees at most: between two of them the clock is looked at.
    static let portion = 128 << 20

    /// Deletes what no root keeps, in portions, for as long as the limits allow. Adds go on meanwhile.
    /// - Parameter machine: whose dropped packages may go, too, though files in its home may name them; nil: nobody's.
    public func collectGarbage(
        droppedBy machine: ResourceID?, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws -> Collection {
        try await collectGarbage(droppedBy: machine, portion: Self.portion, progress: progress)
    }

    func collectGarbage(
        droppedBy machine: ResourceID?, portion: Int, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws -> Collection {
        if let machine {
            for path in try store.roots.paths(of: .released(machine)) { try store.roots.release(path, for: .released(machine)) }
        }
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(configuration.limits.collectionSeconds)
        let total = try await collectable()
        var result = Collection(freed: 0, paths: 0, isPartial: true)
        while result.isPartial, clock.now < deadline {
            try Task.checkCancellation()
            await progress(PackageProgress(activity: "deleting", fetched: min(result.freed, total), total: total))
            let deleted = try await store.collect(atMost: portion)
            result.paths += deleted.paths
            result.freed += deleted.bytes
            result.isPartial = deleted.bytes >= portion
        }
        try store.forgetSizes()
        for source in sources { try await source.prune { [roots = store.roots] in try roots.paths() } }
        return result
    }

    /// Machines with packages that no workspace of theirs needs any more, and that no collection looked at since.
    public func machinesWithDroppedPackages() throws -> [ResourceID] {
        try store.roots.machines().filter { try !store.roots.paths(of: .released($0)).isEmpty }
    }

    /// Lets go of a machine's dropped packages, but for those that `named` paths are, or are needed by.
    public func forgetDropped(of machine: ResourceID, notNamedBy named: Set<StorePath>) async throws {
        let dropped = try store.roots.paths(of: .released(machine))
        let graph = try await store.graph(ofClosure: dropped)
        for path in dropped where graph.closure(of: [path]).isDisjoint(with: named) { try store.roots.release(path, for: .released(machine)) }
    }
}
