import FileWork
public import KilnModel

/// The Nix packages collection: versions by a search service or of one channel, store paths from signed caches, and what they lack is built.
public struct NixpkgsSource: PackageSource {
    private let configuration: NixpkgsConfiguration
    private let directory: String
    private let nix: Nix
    private let substituters: Substituters
    private let limits: PackageLimits
    private let catalogue: NixpkgsCatalogue
    private let system: String

    /// - Parameters:
    ///   - directory: of this source alone, made when it is missing; root's.
    ///   - nix: prepared.
    public init(_ configuration: NixpkgsConfiguration, directory: String, nix: Nix, limits: PackageLimits = PackageLimits()) {
        self.init(configuration, directory: directory, nix: nix, limits: limits, system: NixSystem.current)
    }

    init(_ configuration: NixpkgsConfiguration, directory: String, nix: Nix, limits: PackageLimits = PackageLimits(), system: String) {
        self.configuration = configuration
        self.directory = directory
        self.nix = nix
        self.limits = limits
        self.system = system
        let substituters = Substituters(
            caches: configuration.substituters, publicKeys: configuration.trustedPublicKeys, netrc: configuration.netrc,
            downloads: limits.downloads)
        self.substituters = substituters
        let origin: NixpkgsCatalogue.Origin =
            switch (configuration.index, configuration.resolver) {
            case (let index?, _): .file(index)
            case (nil, .service): .file(NixpkgsConfiguration.Defaults.index)
            case (nil, .channel(let channel)):
                .evaluation(
                    NixpkgsEvaluation(nix: nix, source: channel, system: system, directory: "\(directory)/evaluation", substituters: substituters))
            }
        catalogue = NixpkgsCatalogue(
            source: configuration.name, origin: origin, fetcher: FileFetcher(runner: nix.runner, netrc: configuration.netrc), directory: directory)
    }

    public var name: Name { configuration.name }

    public func refresh() async throws {
        try await catalogue.refresh()
        try service?.prune()
    }

    public func index() async throws -> PackageIndex { try await catalogue.index() }

    public func releases(of package: PackageName) async throws -> [PackageDetails.Release] {
        if let service {
            return try await service.package(package)?.releases.map { .init(version: $0.version, source: name, attribute: $0.attribute) } ?? []
        }
        return try await inChannel(package).map { .init(version: $0.version, source: name, attribute: $0.attribute) }
    }

    public func lock(_ wish: PackageWish) async throws -> (package: LockedPackage, download: Int?) {
        let package =
            switch configuration.resolver {
            case .service: try await lockByService(wish)
            case .channel(let channel): try await lock(wish, in: channel)
            }
        return (package, TrustedFiles.exists(package.storePath.value) ? 0 : nil)
    }

    public func realise(
        _ packages: [LockedPackage], root: @Sendable (LockedPackage) -> String, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws {
        let realisation = Realisation(nix: nix)
        func wanted(_ package: LockedPackage) -> Realisation.Wanted { .init(path: package.storePath, root: root(package)) }
        do {
            try await realisation.fetch(packages.map(wanted), from: substituters, progress: progress)
        } catch let error as KilnError where error.code == .packageFailed {
            let missing = try await realisation.invalid(packages.map(\.storePath))
            for package in packages where missing.contains(package.storePath) {
                try await realisation.keeping([wanted(package)]) { _ in try await build(package, progress: progress) }
            }
        }
    }

    public func cost(of packages: [LockedPackage]) async throws -> PackageCost? {
        try await nix.cost(of: packages.map(\.storePath), from: substituters)
    }

    // MARK: The search service

    private var service: SearchService? {
        guard case .service(let address, _) = configuration.resolver else { return nil }
        return SearchService(
            address: address, fetcher: FileFetcher(runner: nix.runner, netrc: configuration.netrc), directory: "\(directory)/answers", system: system)
    }

    private func lockByService(_ wish: PackageWish) async throws -> LockedPackage {
        guard let service else { preconditionFailure("a source without a service resolves by its channel") }
        let text = if case .matching(let version) = wish.version { version.value } else { "latest" }
        // A service has rules of its own for what `20` means; ours hold for all sources.
        if let found = try await service.resolve(wish.name, version: text), wish.choice(of: [found.version]) != nil {
            return try await lock(wish.name, found)
        }
        guard let known = try await service.package(wish.name) else { throw try await notFound(wish.name) }
        guard let version = wish.choice(of: known.releases.map(\.version)), let found = try await service.resolve(wish.name, version: version.value),
            found.version == version
        else { throw wish.versionNotFound(among: known.releases.map(\.version)) }
        return try await lock(wish.name, found)
    }

    private func lock(_ name: PackageName, _ found: ServiceResolution) async throws -> LockedPackage {
        if let path = found.storePath { return locked(name, found.version, found.revision, found.attribute, path) }
        let (attribute, package) = try await evaluated(found.attribute, try evaluation(of: found.revision))
        return locked(name, found.version, found.revision, attribute, try StorePath(package.path))
    }

    // MARK: A channel

    private func inChannel(_ package: PackageName) async throws -> [NixpkgsCatalogue.Release] {
        let known = try await catalogue.releases(of: package)
        // Sets within the collection are not listed.
        guard known.isEmpty, package.value.contains("."), let attribute = ServiceResolution.attribute(package.value),
            case .channel(let channel) = configuration.resolver, let found = try await evaluation(channel).package(attribute)
        else { return known }
        return [.init(version: try PackageVersion(found.version), attribute: attribute)]
    }

    private func lock(_ wish: PackageWish, in channel: FileAddress) async throws -> LockedPackage {
        let releases = try await inChannel(wish.name)
        guard !releases.isEmpty else { throw try await notFound(wish.name) }
        guard let version = wish.choice(of: releases.map(\.version)), let release = releases.first(where: { $0.version == version }) else {
            throw wish.versionNotFound(among: releases.map(\.version))
        }
        let (attribute, package) = try await evaluated(release.attribute, evaluation(channel))
        return locked(wish.name, try PackageVersion(package.version), channel.value, attribute, try StorePath(package.path))
    }

    // MARK: Both

    private func notFound(_ name: PackageName) async throws -> KilnError {
        // Without a list nothing is near.
        let index = try? await index()
        return PackageSearch(index.map { [(self.name, $0)] } ?? []).notFound(name)
    }

    private func locked(
        _ package: PackageName, _ version: PackageVersion, _ revision: String, _ attribute: String, _ path: StorePath
    ) -> LockedPackage {
        LockedPackage(name: package, version: version, source: name, revision: revision, attribute: attribute, system: system, storePath: path)
    }

    /// The package at an attribute, and the attribute of its output with the programs.
    private func evaluated(_ attribute: String, _ evaluation: NixpkgsEvaluation) async throws -> (String, NixpkgsEvaluation.Package) {
        guard let package = try await evaluation.package(attribute) else {
            throw KilnError(.packageFailed, "\(evaluation.source) has no package \(attribute).", hint: "kl pkg update finds where it is now.")
        }
        return (package.output == "out" ? attribute : "\(attribute).\(package.output)", package)
    }

    /// - Parameter revision: as in a lock: a commit, or a channel's address.
    private func evaluation(of revision: String) throws -> NixpkgsEvaluation {
        switch configuration.resolver {
        case .service(_, let archive): evaluation(try archive.appending("\(revision).tar.gz"))
        case .channel(let channel): evaluation(channel)
        }
    }

    private func evaluation(_ source: FileAddress) -> NixpkgsEvaluation {
        NixpkgsEvaluation(nix: nix, source: source, system: system, directory: "\(directory)/evaluation", substituters: substituters)
    }

    /// What no substituter has.
    private func build(_ package: LockedPackage, progress: @escaping @Sendable (PackageProgress) async -> Void) async throws {
        guard let attribute = ServiceResolution.attribute(package.attribute) else {
            throw KilnError(.packageFailed, "\(package.name) is locked to “\(package.attribute)”, which is no attribute of nixpkgs.")
        }
        await progress(PackageProgress(activity: "building \(package.name), which no cache has"))
        let path = try await evaluation(of: package.revision).build(attribute, progress: progress)
        guard path == package.storePath else {
            throw KilnError(
                .packageFailed, "\(package.name) is locked to \(package.storePath), but its source gives \(path) by now.",
                hint: "kl pkg update \(package.name) takes what there is.")
        }
    }
}
