public import KilnModel

/// The part of an engine that keeps packages: an index to look things up in, a store of what was installed, and a view of it in each workspace.
///
/// As with `WorkspaceEngine`, every call is idempotent and starts cold.
public protocol PackageEngine: Sendable {
    /// Best matches first. Never leaves the host.
    func search(_ query: PackageQuery) async throws -> [PackageSummary]

    /// What the indexes know of a package.
    /// - Throws: `package-not-found`, with the nearest names in the hint.
    func details(of package: PackageName) async throws -> PackageDetails

    /// Resolves each wish by itself, in the order given. Nothing is installed.
    func resolve(_ wishes: [PackageWish]) async throws -> [PackageResolution]

    /// Fetches or builds what is missing, then shows the workspace the new list in one step; until then, and when anything fails, it sees the
    /// old one whole. Calls for one workspace never overlap with each other; they may with other calls for it.
    func apply(_ packages: PackagesTarget, progress: @escaping @Sendable (PackageProgress) async -> Void) async throws -> PackagesObservation

    /// Which of a workspace's packages a path of the store, a program's name or a path in a view belongs to, and by way of what.
    func origins(of item: String, in packages: PackagesTarget) async throws -> [PackageOrigin]

    func usage(of workmachine: WorkmachineTarget) async throws -> PackageUsage

    /// Deletes what no kept generation of any workspace needs. Ends early, with something left, when it took longer than is good for the others.
    func collectGarbage(on workmachine: WorkmachineTarget, progress: @escaping @Sendable (PackageProgress) async -> Void) async throws
        -> GarbageCollection
}

/// The packages a workspace should see; self-contained, as `WorkspaceTarget`.
public struct PackagesTarget: Sendable, Codable, Hashable {
    /// An earlier list that can be rolled back to, so that nothing of it may go.
    public struct Kept: Sendable, Codable, Hashable {
        public var generation: Int
        public var storePaths: [StorePath]

        public init(generation: Int, storePaths: [StorePath]) {
            self.generation = generation
            self.storePaths = storePaths
        }
    }

    public var workspace: ResourceID
    public var workmachine: WorkmachineTarget
    public var generation: Int
    /// Earlier ones win where two have the same file, unless one's source gives it another priority.
    public var packages: [LockedPackage]
    public var kept: [Kept]

    public init(workspace: ResourceID, workmachine: WorkmachineTarget, generation: Int, packages: [LockedPackage], kept: [Kept] = []) {
        self.workspace = workspace
        self.workmachine = workmachine
        self.generation = generation
        self.packages = packages
        self.kept = kept
    }
}

/// What an engine verified of a workspace's packages: the workspace sees `generation`.
public struct PackagesObservation: Sendable, Codable, Hashable {
    public var generation: Int
    public var installed: [InstalledPackage]
    /// Bytes that had to be fetched.
    public var fetched: Int

    public init(generation: Int, installed: [InstalledPackage], fetched: Int) {
        self.generation = generation
        self.installed = installed
        self.fetched = fetched
    }
}

/// Why something is there.
public struct PackageOrigin: Sendable, Codable, Hashable {
    public var package: PackageName
    /// From the package's own path to the one asked for, each needing the next.
    public var chain: [StorePath]

    public init(package: PackageName, chain: [StorePath]) {
        self.package = package
        self.chain = chain
    }
}

public struct GarbageCollection: Sendable, Codable, Hashable {
    /// Bytes.
    public var freed: Int
    public var paths: Int
    /// Whether there is more to collect.
    public var isPartial: Bool

    public init(freed: Int, paths: Int, isPartial: Bool) {
        self.freed = freed
        self.paths = paths
        self.isPartial = isPartial
    }
}
