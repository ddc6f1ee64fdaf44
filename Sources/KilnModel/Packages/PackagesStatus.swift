/// A package that a workspace's view shows.
public struct InstalledPackage: Sendable, Codable, Hashable {
    public var name: PackageName
    public var storePath: StorePath
    /// Bytes of the path with all that it needs; other packages may need the same.
    public var size: Int
    /// The programs of it that are in the PATH.
    public var programs: [String]
    /// Files of it that another package of the list has, too, and shows instead.
    public var shadowed: [Shadowed]

    public struct Shadowed: Sendable, Codable, Hashable {
        /// Relative to the view: `bin/python3`.
        public var path: String
        public var by: PackageName

        public init(path: String, by: PackageName) {
            self.path = path
            self.by = by
        }
    }

    public init(name: PackageName, storePath: StorePath, size: Int, programs: [String], shadowed: [Shadowed] = []) {
        self.name = name
        self.storePath = storePath
        self.size = size
        self.programs = programs
        self.shadowed = shadowed
    }
}

/// How far the packages of a workspace are.
public struct PackageProgress: Sendable, Codable, Hashable {
    /// What is being done, for people: `fetching jq`, `building the view`.
    public var activity: String
    /// Bytes fetched so far.
    public var fetched: Int
    /// Bytes to fetch in all; nil when not known yet.
    public var total: Int?

    public init(activity: String, fetched: Int = 0, total: Int? = nil) {
        self.activity = activity
        self.fetched = fetched
        self.total = total
    }
}

/// A package of a list that could not be had.
public struct PackageFailure: Sendable, Codable, Hashable {
    public var name: PackageName
    public var version: PackageVersion
    /// The generation it was asked for with.
    public var generation: Int
    public var reason: Reason

    public init(name: PackageName, version: PackageVersion, generation: Int, reason: Reason) {
        self.name = name
        self.version = version
        self.generation = generation
        self.reason = reason
    }
}

/// A workspace's packages as last verified.
public struct PackagesStatus: Sendable, Codable, Hashable {
    public enum Phase: String, Sendable, Codable, CaseIterable { case installing = "Installing", ready = "Ready", failed = "Failed" }

    public var phase: Phase
    /// The generation that the workspace sees; while another one is installed, or failed, the one before.
    public var generation: Int
    public var installed: [InstalledPackage]
    /// While installing.
    public var progress: PackageProgress?
    /// Why it failed.
    public var reason: Reason?
    /// What was taken off the list again because it could not be had, until it is asked for another time.
    public var failures: [PackageFailure]
    /// Bytes fetched for `generation`.
    public var fetched: Int
    /// The last change of phase.
    public var since: Timestamp

    public init(
        phase: Phase, generation: Int, installed: [InstalledPackage] = [], progress: PackageProgress? = nil, reason: Reason? = nil,
        failures: [PackageFailure] = [], fetched: Int = 0, since: Timestamp
    ) {
        self.phase = phase
        self.generation = generation
        self.installed = installed
        self.progress = progress
        self.reason = reason
        self.failures = failures
        self.fetched = fetched
        self.since = since
    }
}

/// What the store and its views take, in bytes.
public struct PackageUsage: Sendable, Codable, Hashable {
    public struct Share: Sendable, Codable, Hashable {
        public var workspace: ResourceID
        /// What its packages take; what two workspaces share counts for both.
        public var size: Int

        public init(workspace: ResourceID, size: Int) {
            self.workspace = workspace
            self.size = size
        }
    }

    /// The whole store of the workmachine's host, shared by all.
    public var store: Int
    /// What collecting garbage now would free.
    public var collectable: Int
    public var shares: [Share]

    public init(store: Int, collectable: Int, shares: [Share]) {
        self.store = store
        self.collectable = collectable
        self.shares = shares
    }
}
