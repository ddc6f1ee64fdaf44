import CommandRunner
import FileWork
import Glibc
public import KilnModel

/// The packages of one host: sources to take them from, the store that keeps them, and a view for each workspace.
///
/// It keeps no database. What exists is read back from the store, the roots and the views.
public struct PackageHost: Sendable {
    public struct Configuration: Sendable {
        /// Of the instance: names its roots.
        public var prefix: String
        /// `/var/lib/kiln/packages`
        public var directory: String
        /// Where what makes store paths of Debian packages is installed (`scripts/debian-builder`).
        public var debianBuilder: String
        public var limits: PackageLimits
        /// What comes before the words of a program that builds, to bound its memory.
        public var buildLimiter: [String] = []

        public init(prefix: String, directory: String, debianBuilder: String, limits: PackageLimits = PackageLimits()) {
            self.prefix = prefix
            self.directory = directory
            self.debianBuilder = debianBuilder
            self.limits = limits
        }

        /// The folder that is a source's own.
        public func directory(of source: Name) -> String { "\(directory)/sources/\(source)" }

        /// Nix as all sources run it.
        public var nix: Nix { Nix(directory: "\(directory)/nix", limiter: buildLimiter) }

        var roots: StoreRoots { StoreRoots(directory: "/nix/var/nix/gcroots/\(prefix)") }
        var views: ViewStore { ViewStore(directory: "\(directory)/views") }
        var store: NixStore { NixStore(nix: nix, roots: roots, sizesDirectory: "\(directory)/sizes") }
    }

    public let configuration: Configuration
    /// In the order in which they are asked.
    public let sources: [any PackageSource]
    let store: NixStore
    let views: ViewStore
    let queue: RealiseQueue

    public init(_ configuration: Configuration, sources: [any PackageSource]) {
        self.configuration = configuration
        self.sources = sources
        let store = configuration.store
        self.store = store
        views = configuration.views
        queue = RealiseQueue(store: store) { packages, progress in
            guard let source = sources.first(where: { $0.name == packages.first?.source }) else { throw Self.unknownSource(of: packages) }
            try await source.realise(packages, root: { store.roots.link($0.storePath, for: .pending) }, progress: progress)
        }
    }

    private static func unknownSource(of packages: [LockedPackage]) -> KilnError {
        let name = packages.first.map { "\($0.name) comes from \($0.source)" } ?? "a package comes from nowhere"
        return KilnError(
            .packageFailed, "\(name), which this host has no source by that name for.", hint: "Name it in packages.json, then run make up again.")
    }

    /// Makes the folders and the store. Needs Nix; harmless when repeated.
    public func prepare() async throws {
        for path in [configuration.directory, views.directory] { try TrustedFiles.makeDirectories(path, mode: 0o755) }
        try await store.nix.prepare(NixSettings(limits: configuration.limits))
        try store.roots.prepare(.pending)
        try store.releasePending()
    }

    /// Makes a workspace's view, empty at first.
    /// - Returns: the directory to mount into the workspace.
    public func prepareView(of workspace: ResourceID) throws -> String {
        try TrustedFiles.makeDirectories(NixStore.directory, mode: 0o755)
        return try views.prepare(workspace)
    }

    /// Removes a workspace's view. What it alone needed may be collected once no file of its machine names it.
    public func remove(_ workspace: ResourceID, of machine: ResourceID) throws {
        try store.roots.removeWorkspace(workspace, of: machine)
        try views.remove(workspace)
    }

    public func remove(machine: ResourceID) throws { try store.roots.removeMachine(machine) }

    /// Removes the views and roots of workspaces and machines that are not there any more.
    public func prune(keeping workspaces: Set<ResourceID>, machines: Set<ResourceID>) throws {
        for machine in try store.roots.machines() {
            for workspace in try store.roots.workspaces(of: machine) where !workspaces.contains(workspace) { try remove(workspace, of: machine) }
            if !machines.contains(machine) { try remove(machine: machine) }
        }
        for workspace in try views.workspaces() where !workspaces.contains(workspace) { try views.remove(workspace) }
    }

    /// Removes all of an instance but what lies in the store, which is garbage then.
    public static func purge(_ configuration: Configuration) throws {
        try configuration.roots.purge()
        try TrustedFiles.remove(configuration.directory)
    }
}
