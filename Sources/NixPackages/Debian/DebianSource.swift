public import CommandRunner
import FileWork
import Glibc
public import KilnModel

/// Packages of Debian, made into store paths that run in any image: for hosts that reach no nixpkgs.
///
/// What a package needs is chosen from the suite's own lists, which apt has verified, and locked with a digest of each file. One build per package
/// lays the files out as Debian does, does what configuring them would do, and makes the programs find their libraries and data there.
public actor DebianSource: PackageSource {
    public nonisolated let name: Name
    private let configuration: DebianConfiguration
    private let directory: String
    private let builds: DebianBuilds
    private let runner: any CommandRunner
    private let connections: Int
    private let shelf: DebianRecipe.Shelf
    private var archives: HostArchives?
    private var builder: StorePath?
    private var refreshing: Task<Void, any Error>?

    /// After which the lists are fetched again.
    private static let freshness = 6 * 3600

    /// - Parameters:
    ///   - directory: for lists, catalogs and recipes; root's.
    ///   - program: where `make up` installed `derivations.nix` and `builder/`.
    ///   - connections: downloads at once.
    public init(
        _ configuration: DebianConfiguration, directory: String, program: String, nix: Nix, connections: Int = 4,
        runner: any CommandRunner = SystemCommandRunner()
    ) {
        name = configuration.name
        self.configuration = configuration
        self.directory = directory
        self.connections = connections
        self.runner = runner
        builds = DebianBuilds(program: program, nix: nix)
        shelf = DebianRecipe.Shelf(directory: "\(directory)/recipes")
    }

    // MARK: The index

    public func refresh() async throws {
        if let refreshing { return try await refreshing.value }
        guard try isStale() else { return }
        let task = Task { try await self.fetchLists() }
        refreshing = task
        defer { refreshing = nil }
        try await task.value
    }

    private func fetchLists() async throws {
        let archives = try await hostArchives()
        let suites = self.suites(of: archives)
        let lists = AptLists(
            directory: "\(directory)/apt", archives: archives, suites: suites, components: configuration.components,
            keyring: configuration.keyring, runner: runner)
        let writer = DebianCatalogWriter(directory: "\(directory)/catalog", lists: lists)
        try TrustedFiles.makeDirectories(writer.directory, mode: 0o755)
        do {
            try await lists.update()
            _ = try writer.write()
            try TrustedFiles.replace(stamp, with: suites.joined(separator: " "))
        } catch {
            // Without a network the catalog at hand is as good as it was.
            guard DebianCatalogWriter.current(in: writer.directory, suites: suites) != nil else { throw error }
        }
    }

    /// Its time says when the lists were last fetched, its text for which suites.
    private var stamp: String { "\(directory)/fetched" }

    private func isStale() throws -> Bool {
        var status = stat()
        guard stat(stamp, &status) == 0, TrustedFiles.exists("\(directory)/catalog/current") else { return true }
        if !configuration.suites.isEmpty, try TrustedFiles.read(stamp) != Array(configuration.suites.map(\.value).joined(separator: " ").utf8) {
            return true
        }
        return time(nil) - status.st_mtim.tv_sec > Self.freshness
    }

    private func hostArchives() async throws -> HostArchives {
        if let archives { return archives }
        var found = try await HostArchives.read(runner)
        if let mirror = configuration.mirror { found.main = mirror.value }
        archives = found
        return found
    }

    private func suites(of archives: HostArchives) -> [String] {
        configuration.suites.isEmpty ? archives.suites : configuration.suites.map(\.value)
    }

    private func catalog() async throws -> DebianCatalog {
        if let catalog = try currentCatalog() { return catalog }
        try await refresh()
        guard let catalog = try currentCatalog() else {
            throw KilnError(.indexUnusable, "There is no list of Debian's packages yet.", hint: "Check that the host reaches its Debian mirror.")
        }
        return catalog
    }

    private func currentCatalog() throws -> DebianCatalog? {
        guard let suites = try TrustedFiles.read(stamp) else { return nil }
        return DebianCatalogWriter.current(
            in: "\(directory)/catalog", suites: String(decoding: suites, as: UTF8.self).split(separator: " ").map(String.init))
    }

    public func index() async throws -> PackageIndex { try await catalog().index }

    // MARK: Resolving

    public func releases(of package: PackageName) async throws -> [PackageDetails.Release] {
        try await catalog().releases(of: package.value).map { suite, release in
            PackageDetails.Release(
                version: try release.presentedVersion, source: name, attribute: release.attribute(in: suite), downloadSize: release.size)
        }
    }

    public func lock(_ wish: PackageWish) async throws -> (package: LockedPackage, download: Int?) {
        let catalog = try await catalog()
        let releases = try catalog.releases(of: wish.name.value)
        guard !releases.isEmpty else { throw PackageSearch([(name, catalog.index)]).notFound(wish.name) }
        let versions = try releases.map { try $0.package.presentedVersion }
        guard let version = wish.choice(of: versions), let chosen = versions.firstIndex(of: version) else {
            throw wish.versionNotFound(among: versions)
        }
        let (suite, package) = releases[chosen]
        if let reason = DebianPolicy.refusal(section: package.section) {
            throw KilnError(
                .packageFailed, "\(wish.name) from Debian cannot be offered: \(reason).", hint: "apt-get install puts it into this workspace alone.")
        }
        let recipe = try DebianRecipe(package, closure: catalog.closure(of: package, in: suite), builder: try await builderPath())
        try shelf.put(recipe)
        let locked = LockedPackage(
            name: wish.name, version: version, source: name, revision: catalog.revision, attribute: package.attribute(in: suite),
            system: recipe.derivation.system, storePath: try recipe.storePath())
        return (locked, TrustedFiles.exists(locked.storePath.value) ? 0 : recipe.cost.download)
    }

    private func builderPath() async throws -> StorePath {
        if let builder { return builder }
        let path = try await builds.addBuilder()
        builder = path
        return path
    }

    // MARK: Making

    public func cost(of packages: [LockedPackage]) async throws -> PackageCost? {
        // A lock from elsewhere may name what this host knows nothing of, which is found out when it is made.
        try packages.compactMap { try shelf.recipe(for: $0.storePath)?.cost }.reduce(PackageCost(download: 0, disk: 0), +)
    }

    public func realise(
        _ packages: [LockedPackage], root: @Sendable (LockedPackage) -> String, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws {
        var recipes: [StorePath: DebianRecipe] = [:]
        for package in packages {
            // Roots come first: from the moment that a path is valid no collection may take it.
            try TrustedFiles.link(root(package), to: package.storePath.value)
            if TrustedFiles.exists(package.storePath.value), try await builds.missing([package.storePath]).isEmpty { continue }
            recipes[package.storePath] = try recipe(for: package)
        }
        guard !recipes.isEmpty else { return }
        let names = packages.filter { recipes[$0.storePath] != nil }.map(\.name.value).joined(separator: ", ")
        try await fetchSources(of: Array(recipes.values), names: names, progress)
        try await builds.build(Array(recipes.values), folder: "\(directory)/builds") { state in
            await progress(PackageProgress(activity: "building \(names)", fetched: state.fetched, total: state.total))
        }
    }

    private func fetchSources(
        of recipes: [DebianRecipe], names: String, _ progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws {
        let missing = try await builds.missing(recipes.flatMap(\.derivation.sources))
        if let builder = recipes.compactMap(\.builder).first(where: missing.contains) {
            guard try await builds.addBuilder() == builder else {
                throw KilnError(
                    .packageFailed, "\(names) was locked by another version of Kiln, which made Debian packages in another way.",
                    hint: "kl pkg update \(names) locks it anew.")
            }
        }
        var files: [StorePath: DebianRecipe.Archive] = [:]
        for archive in recipes.flatMap(\.archives) where missing.contains(archive.path) { files[archive.path] = archive }
        let total = files.values.reduce(0) { $0 + $1.size }
        let fetcher = DebianFetcher(directory: "\(directory)/downloads", nix: builds.nix, runner: runner, connections: connections)
        try await fetcher.fetch(Array(files.values), from: try await hostArchives()) { fetched in
            await progress(PackageProgress(activity: "fetching \(names)", fetched: fetched, total: total))
        }
    }

    public func prune(keeping needed: @Sendable () throws -> Set<StorePath>) throws {
        // Nothing is locked or begun between the question and what follows from it.
        try shelf.prune(keeping: needed())
        // What a kill left: nothing takes that long.
        for folder in ["builds", "downloads"] { try TrustedFiles.remove(in: "\(directory)/\(folder)", olderThan: 86_400) }
    }

    private func recipe(for package: LockedPackage) throws -> DebianRecipe {
        guard let recipe = try shelf.recipe(for: package.storePath) else {
            throw KilnError(
                .packageFailed, "How \(package.name) \(package.version) was made from Debian is not known on this host.",
                hint: "kl pkg update \(package.name) locks it anew.")
        }
        return recipe
    }
}

extension DebianPackage {
    /// The version as people write it.
    var presentedVersion: PackageVersion {
        get throws(KilnError) { try PackageVersion(String(version.withoutEpoch)) }
    }

    func attribute(in suite: String) -> String { "\(suite)/\(name)=\(version.text)" }
}

extension DebianRecipe {
    /// On the disk lie the fetched files, and the tree, which holds nearly all that is in them.
    var cost: PackageCost {
        archives.reduce(PackageCost(download: 0, disk: 0)) { sum, archive in
            let isThere = TrustedFiles.exists(archive.path.value)
            return sum + PackageCost(download: isThere ? 0 : archive.size, disk: archive.installedSize + (isThere ? 0 : archive.size))
        }
    }

    var builder: StorePath? { derivation.sources.first { path in !archives.contains { $0.path == path } } }
}
