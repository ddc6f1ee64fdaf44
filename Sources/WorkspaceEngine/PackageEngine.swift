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

    /// Fetches or builds what is missing, then shows the workspace the new list in one step; until then, and when it throws, it sees the old
    /// one whole. A package that cannot be had need not keep the others away: `PackagesTarget.list(without:)` is shown then, and the answer names
    /// it; with `isAtomic`, or where nothing can be shown, the call throws. Calls for one workspace never overlap with each other; they may with
    /// other calls for it. A call that is cancelled leaves the old list.
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
    /// The list that was last seen to work.
    public var previous: [LockedPackage]
    /// Whether a package that cannot be had keeps all others away.
    public var isAtomic: Bool

    public init(
        workspace: ResourceID, workmachine: WorkmachineTarget, generation: Int, packages: [LockedPackage], kept: [Kept] = [],
        previous: [LockedPackage] = [], isAtomic: Bool = false
    ) {
        self.workspace = workspace
        self.workmachine = workmachine
        self.generation = generation
        self.packages = packages
        self.kept = kept
        self.previous = previous
        self.isAtomic = isAtomic
    }

    /// The list where some packages cannot be had: each as it was before, or not at all; of an atomic list nothing but what was there before.
    public func list(without failed: Set<PackageName>) -> [LockedPackage] {
        isAtomic && !failed.isEmpty ? previous : packages.falling(back: failed, to: previous)
    }
}

/// What an engine verified of a workspace's packages: the workspace sees `generation`.
public struct PackagesObservation: Sendable, Codable, Hashable {
    public var generation: Int
    public var installed: [InstalledPackage]
    /// Bytes that had to be fetched.
    public var fetched: Int
    /// What could not be had.
    public var failures: [Failure]

    public struct Failure: Sendable, Codable, Hashable {
        public var package: PackageName
        public var error: KilnError

        public init(package: PackageName, error: KilnError) {
            self.package = package
            self.error = error
        }
    }

    public init(generation: Int, installed: [InstalledPackage], fetched: Int, failures: [Failure] = []) {
        self.generation = generation
        self.installed = installed
        self.fetched = fetched
        self.failures = failures
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
