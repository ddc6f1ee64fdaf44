public import KilnModel

/// Where packages come from: something that can be searched offline, that resolves a name and version once, and that makes what was resolved
/// present in the Nix store of this host.
///
/// `nixpkgs`, `cache` and `debian` are the three. A source holds its index on disk and may be asked by several at once.
public protocol PackageSource: Sendable {
    /// As configured; unique among the sources of a host.
    var name: Name { get }

    /// Brings the index up to date when it is older than is good; without a network the one at hand stays.
    /// - Throws: `index-unusable` when there is none to work with.
    func refresh() async throws

    /// The index by which names are looked up: a file in the form of `PackageIndex`. Every package once, with its newest version.
    func index() async throws -> PackageIndex

    /// All versions of a package that the source knows, newest first; empty when it does not know the package.
    func releases(of package: PackageName) async throws -> [PackageDetails.Release]

    /// Resolves a wish for good. Nothing is fetched but, where needed, what the answer hangs on.
    /// - Returns: the lock, and the bytes still to be fetched (nil: not known).
    /// - Throws: `package-not-found`, `version-not-found`.
    func lock(_ wish: PackageWish) async throws -> (package: LockedPackage, download: Int?)

    /// Makes the store paths of packages that this source locked valid, by fetching or building; does nothing for those that are. Each path is
    /// a garbage root at `root(package)` before this returns: nothing deletes it in between.
    /// - Throws: `package-failed`, `untrusted-signature`, `disk-full`.
    func realise(
        _ packages: [LockedPackage], root: @Sendable (LockedPackage) -> String, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws

    /// What `realise` would take for packages of which the store has nothing; nil when nobody can say.
    func cost(of packages: [LockedPackage]) async throws -> PackageCost?

    /// Lets go of what is only kept for making packages that nobody needs any more.
    /// - Parameter needed: the paths that somebody needs when it is called. What was locked a while ago may be needed without being among them.
    func prune(keeping needed: @Sendable () throws -> Set<StorePath>) async throws
}

extension PackageSource {
    public func prune(keeping needed: @Sendable () throws -> Set<StorePath>) async throws {}

    public func cost(of packages: [LockedPackage]) async throws -> PackageCost? { nil }
}

/// What making packages valid takes, in bytes.
public struct PackageCost: Sendable, Hashable {
    /// To be fetched.
    public var download: Int
    /// On the disk of the store when all is done, at most.
    public var disk: Int

    public init(download: Int, disk: Int) {
        self.download = download
        self.disk = disk
    }

    public static func + (lhs: PackageCost, rhs: PackageCost) -> PackageCost {
        PackageCost(download: lhs.download + rhs.download, disk: lhs.disk + rhs.disk)
    }
}
