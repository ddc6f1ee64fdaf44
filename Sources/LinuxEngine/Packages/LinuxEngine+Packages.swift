public import KilnModel
import NixPackages
public import WorkspaceEngine

extension LinuxEngine {
    public func resolve(_ wishes: [PackageWish]) async throws -> [PackageResolution] { await (try packages).resolve(wishes) }

    public func apply(_ target: PackagesTarget, progress: @escaping @Sendable (PackageProgress) async -> Void) async throws -> PackagesObservation {
        let packages = try packages
        let view = PackageView(
            workspace: target.workspace, machine: target.workmachine.id, generation: target.generation, packages: target.packages,
            previous: target.previous, isAtomic: target.isAtomic, kept: Set(target.kept.flatMap(\.storePaths)))
        // A lock of its own: what is done to a workspace's packages never makes its container or connection wait.
        return try await packageLocks.withLock(target.workspace) {
            let shown = try await packages.show(view, progress: progress)
            return PackagesObservation(
                generation: target.generation, installed: shown.installed, fetched: shown.fetched,
                failures: shown.failures.map { .init(package: $0.package, error: $0.error) })
        }
    }

    /// Makes Nix ready. A host without it has workspaces all the same; who asks for a package is told.
    func preparePackages() async {
        do {
            try await packages.prepare()
        } catch {
            logger.error("there will be no packages", metadata: ["cause": "\(error)"])
        }
    }

    /// Removes a workspace's view, after whatever is being done to it.
    func removePackages(of workspace: ResourceID, on machine: ResourceID) async throws {
        try await packageLocks.withLock(workspace) { try self.packageHost.remove(workspace, of: machine) }
    }
}

extension LinuxEngine {
    public func search(_ query: PackageQuery) async throws -> [PackageSummary] { try await packages.search(query) }

    public func details(of package: PackageName) async throws -> PackageDetails { try await packages.details(of: package) }

    public func origins(of item: String, in target: PackagesTarget) async throws -> [PackageOrigin] {
        try await packages.origins(of: item, in: target.workspace, packages: target.packages).map {
            PackageOrigin(package: $0.package, chain: $0.chain)
        }
    }

    public func usage(of workmachine: WorkmachineTarget) async throws -> PackageUsage { try await packages.usage(of: workmachine.id) }

    public func collectGarbage(
        on workmachine: WorkmachineTarget, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws -> GarbageCollection {
        let collection = try await packages.collectGarbage(droppedBy: workmachine.id, progress: progress)
        return GarbageCollection(freed: collection.freed, paths: collection.paths, isPartial: collection.isPartial)
    }
}
