/// A long-lived container on a workmachine, with its own network namespace and its own folder `~/workspaces/NAME`.
public struct Workspace: Resource {
    public static let kind = ResourceKind.workspace
    public var metadata: Metadata
    public var spec: Spec
    public var status: Status

    public init(metadata: Metadata, spec: Spec, status: Status = Status()) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    public enum DesiredState: String, Sendable, Codable, CaseIterable { case running, suspended }

    public struct Spec: Sendable, Codable, Hashable {
        public var workmachine: ResourceID
        public var image: ImageReference
        public var limits: ResourceLimits
        /// Environment variables of every process in it.
        public var variables: [EnvironmentVariable]
        /// Cloned into `~/workspaces/NAME` at creation.
        public var repository: RepositoryURL?
        public var desiredState: DesiredState
        /// The environment it is, or wants to be, connected to.
        public var connection: ResourceID? {
            // An intercept names a service of the connected environment, and ends with the connection.
            didSet { if connection != oldValue { intercepts = [] } }
        }
        /// At most one for each port of a service, in the environment of `connection`.
        public var intercepts: [Intercept] = []
        /// The packages in its PATH, in the order in which they were added.
        public var packages: [LockedPackage] = []
        /// Grows by one with each change of `packages`, a rollback included; 0: there never were any.
        public var packageGeneration = 0
        /// Decides its address for life (`AddressPlan.workspace`).
        public var addressIndex: Int

        public init(
            workmachine: ResourceID, image: ImageReference, limits: ResourceLimits, variables: [EnvironmentVariable] = [],
            repository: RepositoryURL? = nil, desiredState: DesiredState = .running, connection: ResourceID? = nil, addressIndex: Int
        ) {
            self.workmachine = workmachine
            self.image = image
            self.limits = limits
            self.variables = variables
            self.repository = repository
            self.desiredState = desiredState
            self.connection = connection
            self.addressIndex = addressIndex
        }
    }

    public enum Phase: String, Sendable, Codable, CaseIterable {
        case pending = "Pending", starting = "Starting", running = "Running", suspending = "Suspending", suspended = "Suspended",
            deleting = "Deleting", failed = "Failed"
    }

    public struct Status: Sendable, Codable, Hashable {
        public var phase: Phase = .pending
        public var reason: Reason?
        /// The last change of phase.
        public var since: Timestamp = 0
        /// The version of the workspace this status was made for.
        public var observedVersion: Int = 0
        public var connection: Connection?
        /// One for each of the spec's intercepts, and those that others took over since the last start or stop.
        public var intercepts: [InterceptStatus] = []
        /// nil: it never had any.
        public var packages: PackagesStatus?

        public init() {}
    }

    /// The link to an environment as last verified.
    public struct Connection: Sendable, Codable, Hashable {
        public enum Phase: String, Sendable, Codable, CaseIterable { case connecting = "Connecting", connected = "Connected", failed = "Failed" }

        public var environment: ResourceID
        public var phase: Phase
        /// The last change of phase.
        public var since: Timestamp
        public var reason: Reason?

        public init(environment: ResourceID, phase: Phase, since: Timestamp, reason: Reason? = nil) {
            self.environment = environment
            self.phase = phase
            self.since = since
            self.reason = reason
        }
    }
}
