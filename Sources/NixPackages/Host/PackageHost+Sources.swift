import KilnModel

extension PackageHost {
    /// The host as `configuration.json` names its sources. Each gets its own part of it, a folder of its own, and Nix.
    public init(_ configuration: Configuration, configured: [SourceConfiguration]) {
        self.init(configuration, sources: configured.map { Self.source($0, configuration) })
    }

    private static func source(_ source: SourceConfiguration, _ configuration: Configuration) -> any PackageSource {
        switch source {
        case .cache(let cache):
            CacheSource(cache, directory: configuration.directory(of: cache.name), nix: configuration.nix, limits: configuration.limits)
        case .nixpkgs(let nixpkgs):
            NixpkgsSource(nixpkgs, directory: configuration.directory(of: nixpkgs.name), nix: configuration.nix, limits: configuration.limits)
        case .debian(let debian):
            DebianSource(
                debian, directory: configuration.directory(of: debian.name), program: configuration.debianBuilder, nix: configuration.nix,
                connections: configuration.limits.downloads)
        }
    }
}
