public import KilnModel

/// The packages of an in-memory engine: a catalogue that tests fill, and the lists that were applied.
public struct InMemoryPackages: Sendable {
    /// What can be resolved: versions, newest first.
    public var catalogue: [PackageName: [PackageVersion]] = [:]
    /// The list each workspace sees.
    public internal(set) var applied: [ResourceID: PackagesTarget] = [:]
    /// Lets the next applies fail, one error after the other.
    public var failures: [KilnError] = []
    /// What can be resolved and not be had.
    public var broken: [PackageName: KilnError] = [:]
    public internal(set) var collections = 0

    static let source = try! Name("memory")

    /// As after a loss of everything that can be made again.
    public mutating func forget() { applied = [:] }

    func resolve(_ wish: PackageWish) throws(KilnError) -> LockedPackage {
        guard let versions = catalogue[wish.name] else { throw KilnError(.packageNotFound, "There is no package \(wish.name).") }
        let found: PackageVersion? =
            switch wish.version {
            case .latest: versions.first
            case .matching(let wanted): versions.first { $0 == wanted || $0.value.hasPrefix(wanted.value + ".") }
            }
        guard let version = found else { throw KilnError(.versionNotFound, "There is no \(wish).") }
        return LockedPackage(
            name: wish.name, version: version, source: Self.source, revision: "1", attribute: wish.name.value, system: "x86_64-linux",
            storePath: try StorePath("\(StorePath.store)/\(String(repeating: "0", count: 32))-\(wish.name)-\(version)"))
    }
}

extension InMemoryEngine {
    public func change(_ body: @Sendable (inout InMemoryPackages) -> Void) { body(&packages) }

    public func search(_ query: PackageQuery) async throws -> [PackageSummary] {
        try await begin(.packages)
        let found = packages.catalogue.filter { $0.key.value.contains(query.text) }.sorted { $0.key < $1.key }
        return found.prefix(query.limit).compactMap { name, versions in
            versions.first.map { PackageSummary(name: name, version: $0, summary: "a package", source: InMemoryPackages.source) }
        }
    }

    public func details(of package: PackageName) async throws -> PackageDetails {
        try await begin(.packages)
        guard let versions = packages.catalogue[package] else { throw KilnError(.packageNotFound, "There is no package \(package).") }
        return PackageDetails(
            name: package, summary: "a package",
            releases: versions.map { .init(version: $0, source: InMemoryPackages.source, attribute: package.value, downloadSize: 1) })
    }

    public func resolve(_ wishes: [PackageWish]) async throws -> [PackageResolution] {
        try await begin(.packages)
        return wishes.map { wish in
            do throws(KilnError) {
                return .locked(wish, try packages.resolve(wish), download: 1)
            } catch {
                return .failed(wish, error)
            }
        }
    }

    public func apply(_ target: PackagesTarget, progress: @escaping @Sendable (PackageProgress) async -> Void) async throws -> PackagesObservation {
        await progress(PackageProgress(activity: "fetching", fetched: 0, total: 1))
        try await begin(.applyPackages(target.workspace))
        if !packages.failures.isEmpty { throw packages.failures.removeFirst() }
        let failed = target.packages.compactMap { package in packages.broken[package.name].map { (package.name, $0) } }
        if target.isAtomic, let first = failed.first { throw first.1 }
        var shown = target
        shown.packages = target.list(without: Set(failed.map(\.0)))
        packages.applied[target.workspace] = shown
        return PackagesObservation(
            generation: target.generation,
            installed: shown.packages.map { .init(name: $0.name, storePath: $0.storePath, size: 1, programs: [$0.name.value]) }, fetched: 1,
            failures: failed.map { .init(package: $0.0, error: $0.1) })
    }

    public func origins(of item: String, in target: PackagesTarget) async throws -> [PackageOrigin] {
        try await begin(.packages)
        return target.packages.filter { $0.name.value == item || $0.storePath.value == item }.map {
            PackageOrigin(package: $0.name, chain: [$0.storePath])
        }
    }

    public func usage(of workmachine: WorkmachineTarget) async throws -> PackageUsage {
        try await begin(.packages)
        let shares = packages.applied.values.map { PackageUsage.Share(workspace: $0.workspace, size: $0.packages.count) }
        return PackageUsage(store: shares.map(\.size).reduce(0, +), collectable: 0, shares: shares.sorted { $0.workspace < $1.workspace })
    }

    public func collectGarbage(
        on workmachine: WorkmachineTarget, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws -> GarbageCollection {
        try await begin(.packages)
        packages.collections += 1
        return GarbageCollection(freed: 1, paths: 1, isPartial: false)
    }
}
