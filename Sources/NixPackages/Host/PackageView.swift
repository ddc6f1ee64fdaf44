public import KilnModel

/// What a workspace should see.
public struct PackageView: Sendable {
    public var workspace: ResourceID
    public var machine: ResourceID
    public var generation: Int
    /// Earlier ones win where two have the same file.
    public var packages: [LockedPackage]
    /// The list that was last seen to work.
    public var previous: [LockedPackage]
    /// Whether a package that cannot be had keeps all others away.
    public var isAtomic: Bool
    /// Of earlier lists that can be rolled back to.
    public var kept: Set<StorePath>

    public init(
        workspace: ResourceID, machine: ResourceID, generation: Int, packages: [LockedPackage], previous: [LockedPackage] = [],
        isAtomic: Bool = false,
        kept: Set<StorePath> = []
    ) {
        self.workspace = workspace
        self.machine = machine
        self.generation = generation
        self.packages = packages
        self.previous = previous
        self.isAtomic = isAtomic
        self.kept = kept
    }

    var holder: StoreRoots.Holder { .workspace(workspace, of: machine) }

    /// What a workspace sees, as far as it could be had.
    public struct Shown: Sendable {
        public var installed: [InstalledPackage]
        /// Bytes that had to be fetched.
        public var fetched: Int
        /// What could not be had.
        public var failures: [(package: PackageName, error: KilnError)]
    }
}
