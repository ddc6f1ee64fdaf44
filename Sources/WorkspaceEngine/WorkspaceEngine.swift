public import KilnModel

/// The line between "what should exist" and "what makes it exist".
///
/// Every call is idempotent and starts cold: an engine keeps no memory of earlier calls, it looks at what is there. Calls for one resource
/// never overlap; calls for different resources may. All errors are `KilnError`.
public protocol WorkspaceEngine: PackageEngine {
    /// What the engine runs on.
    func info() async throws -> EngineInfo

    /// Removes everything of this instance that belongs to none of `inventory`'s resources. Called before any apply of a connection.
    func prune(keeping inventory: Inventory) async throws

    /// Makes a workmachine's home and id range ready.
    func apply(_ workmachine: WorkmachineTarget) async throws
    /// Removes a workmachine with its home.
    func remove(_ workmachine: WorkmachineTarget) async throws

    /// Brings a workspace into the target's state: network, container, folder, connection. Returns what was verified.
    func apply(_ workspace: WorkspaceTarget) async throws -> WorkspaceObservation
    /// Removes a workspace, its network and its folder.
    func remove(_ workspace: WorkspaceTarget) async throws

    /// Does what can be done now towards the target, and says how far that is; never waits for a service's health. When something changes
    /// later, `observations` says so and the caller applies again.
    func apply(_ environment: EnvironmentTarget) async throws -> EnvironmentObservation
    /// Removes an environment; its volumes only when told to.
    func remove(_ environment: EnvironmentTarget, volumes: Bool) async throws

    /// Whether the image of `build` is already there.
    func hasImage(of build: ImageBuild) async throws -> Bool
    /// Builds an image from a tar of its context. `progress` gets one line per step.
    func build(_ build: ImageBuild, context: ByteStream, progress: @escaping @Sendable (String) async -> Void) async throws

    /// Which files and folders an environment's services cannot see yet.
    func missing(_ copies: FileCopies) async throws -> [FileCopy]
    /// Keeps a file or folder for an environment's services, from its tar. Calls for one environment never overlap with each other or its apply.
    func store(_ copy: FileCopy, of copies: FileCopies, tar: ByteStream) async throws

    /// Runs a program in a running workspace. Frames as in `SessionFrame`, without `request`; ends after `exit` or `failure`.
    /// When `input` ends early the program is hung up.
    func session(_ request: SessionRequest, in workspace: WorkspaceTarget, input: SessionInput, output: @escaping SessionOutput) async throws

    /// As above, in a service's container, as the user and in the folder of its own program. An empty command is a shell.
    func session(_ request: SessionRequest, in service: ServiceReference, input: SessionInput, output: @escaping SessionOutput) async throws

    /// What a workspace's or service's container printed. Ends at the newest line unless `follow`; then it goes on without end, also when the
    /// container is started anew or replaced by another.
    func logs(_ request: LogRequest, output: @escaping @Sendable (LogLine) async throws -> Void) async throws

    func usage(of workspace: WorkspaceTarget) async throws -> WorkspaceUsage

    /// What has passed through a workspace's intercepts.
    func traffic(of workspace: WorkspaceTarget) async throws -> [InterceptTraffic]

    /// Says which resources may have changed by themselves (a container died, a health check turned). Runs until cancelled.
    func observations(_ changed: @escaping @Sendable (ResourceReference) async -> Void) async throws
}

public typealias ByteStream = AsyncThrowingStream<[UInt8], any Error>
public typealias SessionInput = AsyncThrowingStream<SessionFrame, any Error>
public typealias SessionOutput = @Sendable (SessionFrame) async throws -> Void

/// Kind and id of a resource.
public struct ResourceReference: Sendable, Codable, Hashable {
    public var kind: ResourceKind
    public var id: ResourceID

    public init(kind: ResourceKind, id: ResourceID) {
        self.kind = kind
        self.id = id
    }
}

/// A service of an environment, or one of its containers.
public struct ServiceReference: Sendable, Codable, Hashable {
    public var environment: ResourceID
    public var name: Name
    /// From 1; nil: the first that runs.
    public var replica: Int?

    public init(environment: ResourceID, name: Name, replica: Int? = nil) {
        self.environment = environment
        self.name = name
        self.replica = replica
    }
}

/// All resources that exist, deleted ones whose removal is not finished included.
public struct Inventory: Sendable, Codable, Hashable {
    public var workmachines: Set<ResourceID>
    public var workspaces: Set<ResourceID>
    public var environments: Set<ResourceID>

    public init(workmachines: Set<ResourceID>, workspaces: Set<ResourceID>, environments: Set<ResourceID>) {
        self.workmachines = workmachines
        self.workspaces = workspaces
        self.environments = environments
    }
}

public struct WorkmachineTarget: Sendable, Codable, Hashable {
    public var id: ResourceID
    /// Which of the instance's user-id ranges is its own; from 0.
    public var rangeIndex: Int

    public init(id: ResourceID, rangeIndex: Int) {
        self.id = id
        self.rangeIndex = rangeIndex
    }
}

/// What a workspace should be; self-contained, so that an engine can start from nothing.
public struct WorkspaceTarget: Sendable, Codable, Hashable {
    public var id: ResourceID
    public var name: Name
    public var workmachine: WorkmachineTarget
    public var state: Workspace.DesiredState
    public var image: ImageReference
    public var limits: ResourceLimits
    public var variables: [EnvironmentVariable]
    public var repository: RepositoryURL?
    public var address: IPv4Address
    public var connection: ConnectionTarget?

    public init(
        id: ResourceID, name: Name, workmachine: WorkmachineTarget, state: Workspace.DesiredState, image: ImageReference, limits: ResourceLimits,
        variables: [EnvironmentVariable], repository: RepositoryURL?, address: IPv4Address, connection: ConnectionTarget?
    ) {
        self.id = id
        self.name = name
        self.workmachine = workmachine
        self.state = state
        self.image = image
        self.limits = limits
        self.variables = variables
        self.repository = repository
        self.address = address
        self.connection = connection
    }
}

/// The environment a workspace should be linked to, with what a probe needs to verify it.
public struct ConnectionTarget: Sendable, Codable, Hashable {
    /// A name that must resolve to `address`, and a port that must answer (nil: the name alone is checked).
    public struct Probe: Sendable, Codable, Hashable {
        public var service: Name
        public var address: IPv4Address
        public var port: ServicePort?

        public init(service: Name, address: IPv4Address, port: ServicePort?) {
            self.service = service
            self.address = address
            self.port = port
        }
    }

    public var environment: ResourceID
    public var probe: Probe?
    /// The ports of services whose traffic is to reach the workspace.
    public var intercepts: [InterceptTarget]

    public init(environment: ResourceID, probe: Probe?, intercepts: [InterceptTarget] = []) {
        self.environment = environment
        self.probe = probe
        self.intercepts = intercepts
    }
}

/// A port of a service that a workspace answers.
public struct InterceptTarget: Sendable, Codable, Hashable {
    /// As in `Service.addressIndex`; decides the virtual address.
    public var serviceIndex: Int
    /// The service's port.
    public var port: ServicePort
    /// The port in the workspace.
    public var target: UInt16
    public var existing: Intercept.Existing
    /// Whether the original answers while nothing listens on the target.
    public var fallback: Bool

    public init(serviceIndex: Int, port: ServicePort, target: UInt16, existing: Intercept.Existing = .drain, fallback: Bool = true) {
        self.serviceIndex = serviceIndex
        self.port = port
        self.target = target
        self.existing = existing
        self.fallback = fallback
    }
}

/// What an engine verified of an intercept.
public struct InterceptObservation: Sendable, Codable, Hashable {
    public enum State: Sendable, Codable, Hashable {
        /// A probe reached the workspace.
        case active
        /// Nothing listens on the target; the original answers.
        case waiting
        case failing(KilnError)
    }

    /// As in `InterceptTarget`.
    public var serviceIndex: Int
    public var port: ServicePort
    public var state: State

    public init(serviceIndex: Int, port: ServicePort, state: State) {
        self.serviceIndex = serviceIndex
        self.port = port
        self.state = state
    }
}

/// What has passed through an intercept since it was started.
public struct InterceptTraffic: Sendable, Codable, Hashable {
    public struct Caller: Sendable, Codable, Hashable {
        public var address: IPv4Address
        public var connections: Int

        public init(address: IPv4Address, connections: Int) {
            self.address = address
            self.connections = connections
        }
    }

    /// As in `InterceptTarget`.
    public var serviceIndex: Int
    public var port: ServicePort
    /// Connections and, with UDP, exchanges.
    public var connections: Int
    /// IP packets' bytes in both directions.
    public var bytes: Int
    public var callers: [Caller]

    public init(serviceIndex: Int, port: ServicePort, connections: Int, bytes: Int, callers: [Caller]) {
        self.serviceIndex = serviceIndex
        self.port = port
        self.connections = connections
        self.bytes = bytes
        self.callers = callers
    }
}

/// What an engine verified of a workspace.
public struct WorkspaceObservation: Sendable, Codable, Hashable {
    public enum State: String, Sendable, Codable {
        /// A command ran in it.
        case running
        case suspended
    }

    public var state: State
    /// The environment a probe reached; nil when none is wanted or `connectionFailure` says why not.
    public var connected: ResourceID?
    public var connectionFailure: KilnError?
    /// One for each of the target's intercepts; none while the connection fails.
    public var intercepts: [InterceptObservation]

    public init(
        state: State, connected: ResourceID? = nil, connectionFailure: KilnError? = nil, intercepts: [InterceptObservation] = []
    ) {
        self.state = state
        self.connected = connected
        self.connectionFailure = connectionFailure
        self.intercepts = intercepts
    }
}

public struct EnvironmentTarget: Sendable, Codable, Hashable {
    public var id: ResourceID
    public var name: Name
    /// Which of the instance's user-id ranges its containers run in; from 0, no workmachine's.
    public var rangeIndex: Int
    /// Under which its volumes lie; it may be older than the environment.
    public var volumeSet: ResourceID
    public var state: Environment.DesiredState
    public var services: [Service]
    /// As in `Environment.Spec`: another number means another container.
    public var generations: [Name: Int]
    public var uplink: IPv4Address
    /// The secrets that its services are filled with.
    public var secrets: [SecretValue]

    public init(
        id: ResourceID, name: Name, rangeIndex: Int, volumeSet: ResourceID, state: Environment.DesiredState, services: [Service],
        generations: [Name: Int] = [:], uplink: IPv4Address, secrets: [SecretValue] = []
    ) {
        self.id = id
        self.name = name
        self.rangeIndex = rangeIndex
        self.volumeSet = volumeSet
        self.state = state
        self.services = services
        self.generations = generations
        self.uplink = uplink
        self.secrets = secrets
    }
}

extension EnvironmentTarget {
    /// The files and folders that its services see.
    public var copies: [FileCopy] {
        Array(Set(services.flatMap(\.files).compactMap { if case .copy(let copy) = $0.source { copy } else { nil } }))
    }
}

/// The files and folders that an environment's services see.
public struct FileCopies: Sendable, Codable, Hashable {
    public var environment: ResourceID
    /// As in `EnvironmentTarget`: to whom they belong.
    public var rangeIndex: Int
    public var copies: [FileCopy]

    public init(environment: ResourceID, rangeIndex: Int, copies: [FileCopy]) {
        self.environment = environment
        self.rangeIndex = rangeIndex
        self.copies = copies
    }
}

public struct EnvironmentObservation: Sendable, Codable, Hashable {
    public var services: [ServiceStatus]

    public init(services: [ServiceStatus]) { self.services = services }
}

public struct LogRequest: Sendable, Codable, Hashable {
    public enum Source: Sendable, Codable, Hashable {
        case workspace(ResourceID)
        /// One container of a service, by its number.
        case service(environment: ResourceID, name: Name, replica: Int = 1)
    }

    public var source: Source
    public var follow: Bool
    /// How many of the last lines; nil: all.
    public var tail: Int?
    /// Only what was printed from then on.
    public var since: Timestamp?

    public init(source: Source, follow: Bool = false, tail: Int? = nil, since: Timestamp? = nil) {
        self.source = source
        self.follow = follow
        self.tail = tail
        self.since = since
    }
}
