import CommandRunner
import Crypto
import FileWork
import FoundationEssentials
public import KilnModel
import LinuxNetwork
public import Logging
import NixPackages
public import WorkspaceEngine

/// The engine of one Linux host: Podman, namespaces, dnsmasq and folders, composed.
///
/// It keeps no database. What exists is read back from Podman's labels, the namespaces and the kernel; two calls with the same target are
/// one call's work.
public final class LinuxEngine: WorkspaceEngine {
    public struct Configuration: Sendable {
        public var instance: Instance
        /// `/var/lib/kiln`
        public var stateDirectory: String
        /// `/run/kiln`
        public var runtimeDirectory: String
        /// Mounted read-only at `/opt/kiln/bin` in every workspace; holds `kl`.
        public var toolsDirectory: String
        /// The rootfs tar of `localhost/kiln/workspace`, imported when it changed; nil: the image is expected to be there.
        public var baseImage: String?
        /// `/etc/kiln/packages.json`, which says where packages come from; nil, or nothing there: from nowhere.
        public var packagesFile: String?
        /// What makes store paths of Debian packages.
        public var debianBuilder: String

        public init(
            instance: Instance, stateDirectory: String, runtimeDirectory: String, toolsDirectory: String, baseImage: String?,
            packagesFile: String? = nil, debianBuilder: String = "/usr/local/lib/kiln/debian"
        ) {
            self.instance = instance
            self.stateDirectory = stateDirectory
            self.runtimeDirectory = runtimeDirectory
            self.toolsDirectory = toolsDirectory
            self.baseImage = baseImage
            self.packagesFile = packagesFile
            self.debianBuilder = debianBuilder
        }

        var containers: ContainerHost.Configuration {
            .init(stateDirectory: "\(stateDirectory)/podman", runtimeDirectory: "\(runtimeDirectory)/podman", instancePrefix: instance.prefix)
        }

        var nameServers: NameServers { NameServers(directory: "\(runtimeDirectory)/names", runner: SystemCommandRunner()) }

        var folders: FolderStore { FolderStore(stateDirectory: stateDirectory, runner: SystemCommandRunner()) }
    }

    let configuration: Configuration
    let logger: Logger
    let containers: ContainerHost
    let network: InstanceNetwork
    let names: NameServers
    let folders: FolderStore
    let sockets: any WorkspaceSocketHost
    let observers = Observers()
    let health: HealthMonitor
    let logWatch: DirectoryWatch
    let restarts = RestartQueue()
    let keeper: InterceptKeeper
    let locks = KeyedLock<ResourceID>()
    /// Of sets of volumes, while new ones are seeded.
    let volumeLocks = KeyedLock<ResourceID>()
    let packageHost: PackageHost
    /// Why there are no packages, when the file that says where they come from cannot be used.
    private let packageProblem: KilnError?
    let packageMounts: PackageMounts
    let packageLocks = KeyedLock<ResourceID>()
    let settled = SettledWorkspaces()

    var instance: Instance { configuration.instance }

    /// Makes Podman's folders and finds a runtime that works here.
    /// - Parameter sockets: opens the socket by which `kl` inside a workspace speaks.
    public init(configuration: Configuration, sockets: any WorkspaceSocketHost, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        self.sockets = sockets
        for path in [configuration.stateDirectory, configuration.runtimeDirectory] { try TrustedFiles.makeDirectory(path, mode: 0o755) }
        let containers = try await ContainerHost.prepare(
            configuration.containers, logger: logger)
        self.containers = containers
        network = InstanceNetwork(instance: configuration.instance)
        names = configuration.nameServers
        folders = configuration.folders
        logWatch = try DirectoryWatch()
        let observers = observers
        health = HealthMonitor(
            check: { container, check in await containers.healthCheck(container, check) },
            changed: { observers.notify(ResourceReference(kind: .environment, id: $0)) })
        (packageHost, packageProblem) = configuration.packageHost(containers.cgroups, logger: logger)
        packageMounts = PackageMounts(directory: configuration.packages.directory)
        keeper = try InterceptKeeper(
            network: network, changed: { observers.notify(ResourceReference(kind: .workspace, id: $0)) }, logger: logger)
    }

    /// Makes the host ready, then supervises what needs supervision until cancelled. Calls may be made once `ready` ran.
    public func run(ready: @Sendable () async -> Void) async throws {
        try await prepare()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.containers.run() }
            group.addTask { try await self.keeper.run() }
            group.addTask { try await self.watchContainers() }
            group.addTask { try await self.logWatch.run() }
            group.addTask { try await self.restartServices() }
            group.addTask { try await self.careForPackages() }
            try await importBaseImage()
            logger.info("ready", metadata: ["runtime": "\(containers.runtime)"])
            await ready()
            try await group.waitForAll()
        }
    }

    /// Lets go of Podman's service. No call may follow.
    public func shutdown() async throws { try await containers.shutdown() }

    /// The packages of the host.
    /// - Throws: what is wrong with its settings.
    var packages: PackageHost {
        get throws {
            if let packageProblem { throw packageProblem }
            return packageHost
        }
    }

    private func prepare() async throws {
        try packageMounts.prepare()
        await preparePackages()
        try await network.ensureRouter()
        try await names.ensureForwarder(listeningOn: network.forwarder)
    }

    /// A container that died, was killed or restarted says so to whoever observes.
    private func watchContainers() async throws {
        try await containers.events { event in
            if event.kind == .resynchronize {
                for container in try await containers.list() {
                    notify(container.labels)
                    if container.phase == .exited { restarts.add(container.name) }
                }
            } else {
                notify(event.labels)
                if case .died = event.kind { restarts.add(event.name) }
            }
        }
    }

    private func notify(_ labels: [String: String]) {
        if let reference = Label.reference(labels) { observers.notify(reference) }
    }

    public func observations(_ changed: @escaping @Sendable (ResourceReference) async -> Void) async throws {
        for await reference in observers.stream() { await changed(reference) }
    }

    public func apply(_ workmachine: WorkmachineTarget) async throws {
        try await locks.withLock(workmachine.id) { try await self.ensureHome(of: workmachine) }
    }

    public func remove(_ workmachine: WorkmachineTarget) async throws {
        try await locks.withLock(workmachine.id) {
            try await self.folders.removeHome(of: workmachine.id)
            try self.packageHost.remove(machine: workmachine.id)
        }
    }

    func ensureHome(of workmachine: WorkmachineTarget) async throws {
        try folders.ensureHome(of: workmachine.id, firstID: instance.firstUserID(ofRange: workmachine.rangeIndex))
    }
}

/// Opens and closes the socket by which `kl` inside a workspace reaches kilnd.
public protocol WorkspaceSocketHost: Sendable {
    /// Listens for a workspace whose processes have user ids in `userIDs`. Returns the directory to mount at `/run/kiln`. Idempotent.
    func open(_ workspace: ResourceID, userIDs: Range<Int>) async throws -> String
    /// Stops listening and removes the directory. Done when it is gone already.
    func close(_ workspace: ResourceID) async throws
    /// Workspaces that have a directory.
    func workspaces() throws -> [ResourceID]
}

/// The labels by which Kiln knows its containers.
enum Label {
    static let instance = "kiln.instance"
    static let kind = "kiln.kind"
    static let id = "kiln.id"
    static let service = "kiln.service"
    /// Which of the service's containers, from 1.
    static let replica = "kiln.replica"
    /// The check that its image comes with, as JSON.
    static let healthcheck = "kiln.healthcheck"
    /// Digest of the `Service` a container was made from.
    static let revision = "kiln.revision"

    static func reference(_ labels: [String: String]) -> ResourceReference? {
        guard let kind = labels[kind].flatMap(ResourceKind.init(rawValue:)), let id = labels[id].flatMap({ try? ResourceID($0) }) else { return nil }
        return ResourceReference(kind: kind, id: id)
    }
}
