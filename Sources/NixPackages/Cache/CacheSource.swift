import FileWork
public import KilnModel

/// A signed binary cache with an index: packages that a company builds itself, or brings to machines that reach nothing else.
public struct CacheSource: PackageSource {
    private let configuration: CacheConfiguration
    private let realisation: Realisation
    private let substituters: Substituters
    private let file: CacheIndexFile
    private let system: String

    /// - Parameters:
    ///   - directory: of this source alone, made when it is missing; root's.
    ///   - nix: prepared.
    public init(_ configuration: CacheConfiguration, directory: String, nix: Nix, limits: PackageLimits = PackageLimits()) {
        self.init(configuration, directory: directory, nix: nix, limits: limits, system: NixSystem.current)
    }

    init(_ configuration: CacheConfiguration, directory: String, nix: Nix, limits: PackageLimits = PackageLimits(), system: String) {
        self.configuration = configuration
        self.system = system
        realisation = Realisation(nix: nix)
        substituters = Substituters(
            caches: [configuration.cache], publicKeys: configuration.publicKeys, netrc: configuration.netrc, downloads: limits.downloads)
        file = CacheIndexFile(
            configuration, fetcher: FileFetcher(runner: nix.runner, netrc: configuration.netrc), system: system, directory: directory)
    }

    public var name: Name { configuration.name }

    public func refresh() async throws { try await file.refresh(ifOlderThan: .seconds(300)) }

    public func index() async throws -> PackageIndex { try await file.packages() }

    public func releases(of package: PackageName) async throws -> [PackageDetails.Release] {
        try await known(package).releases.map {
            PackageDetails.Release(version: $0.version, source: name, attribute: $0.name.value, downloadSize: $0.download)
        }
    }

    public func lock(_ wish: PackageWish) async throws -> (package: LockedPackage, download: Int?) {
        if let locked = try await find(wish) { return locked }
        // It may have been published just now.
        try await file.refresh(ifOlderThan: .seconds(10))
        if let locked = try await find(wish) { return locked }
        let versions = try await known(wish.name).releases.map(\.version)
        guard versions.isEmpty else { throw wish.versionNotFound(among: versions) }
        throw PackageSearch([(name, try await index())]).notFound(wish.name)
    }

    public func realise(
        _ packages: [LockedPackage], root: @Sendable (LockedPackage) -> String, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws {
        let wanted = packages.map { Realisation.Wanted(path: $0.storePath, root: root($0)) }
        try await realisation.fetch(wanted, from: substituters, progress: progress)
    }

    public func cost(of packages: [LockedPackage]) async throws -> PackageCost? {
        var cost = PackageCost(download: 0, disk: 0)
        for package in packages {
            // A lock may be older than the index; nobody knows then.
            guard let release = try await known(package.name).releases.first(where: { $0.storePath == package.storePath }) else { return nil }
            cost = cost + PackageCost(download: release.download, disk: release.disk)
        }
        return cost
    }

    private func known(_ package: PackageName) async throws -> (releases: [CacheIndex.Release], revision: String) {
        let system = system
        return try await file.read { index, current throws(KilnError) in (try index.releases(of: package, system: system), current.revision) }
    }

    private func find(_ wish: PackageWish) async throws -> (package: LockedPackage, download: Int?)? {
        let (releases, revision) = try await known(wish.name)
        guard let version = wish.choice(of: releases.map(\.version)), let release = releases.first(where: { $0.version == version }) else {
            return nil
        }
        let package = LockedPackage(
            name: release.name, version: release.version, source: name, revision: revision, attribute: release.name.value, system: system,
            storePath: release.storePath, hash: release.hash)
        return (package, TrustedFiles.exists(release.storePath.value) ? 0 : release.download)
    }
}
