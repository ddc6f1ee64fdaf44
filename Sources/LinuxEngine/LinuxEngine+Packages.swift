public import KilnModel
public import WorkspaceEngine

extension LinuxEngine {
    private static let noSource = KilnError(
        .engineUnavailable, "This host has no source of packages.", hint: "Configure one, then run make up again.")

    public func search(_ query: PackageQuery) async throws -> [PackageSummary] { throw Self.noSource }

    public func details(of package: PackageName) async throws -> PackageDetails { throw Self.noSource }

    public func resolve(_ wishes: [PackageWish]) async throws -> [PackageResolution] { wishes.map { .failed($0, Self.noSource) } }

    public func apply(_ packages: PackagesTarget, progress: @escaping @Sendable (PackageProgress) async -> Void) async throws -> PackagesObservation {
        throw Self.noSource
    }

    public func origins(of item: String, in packages: PackagesTarget) async throws -> [PackageOrigin] { throw Self.noSource }

    public func usage(of workmachine: WorkmachineTarget) async throws -> PackageUsage { throw Self.noSource }

    public func collectGarbage(
        on workmachine: WorkmachineTarget, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws -> GarbageCollection { throw Self.noSource }
}
