public import KilnModel

/// `POST /api/v1/workmachines`
public struct CreateWorkmachine: Sendable, Codable {
    public var name: Name

    public init(name: Name) { self.name = name }
}

/// `POST /api/v1/workspaces`; what is nil takes the server's default.
public struct CreateWorkspace: Sendable, Codable {
    public var name: Name
    /// Default: `local`.
    public var workmachine: Name?
    public var image: ImageReference?
    /// Parts of one thousand CPUs.
    public var milliCPUs: Int?
    /// Bytes.
    public var memory: Int?
    public var variables: [EnvironmentVariable]?
    public var repository: RepositoryURL?
    /// `NAME[@VERSION]` each.
    public var packages: [PackageText]?

    public init(
        name: Name, workmachine: Name? = nil, image: ImageReference? = nil, milliCPUs: Int? = nil, memory: Int? = nil,
        variables: [EnvironmentVariable]? = nil, repository: RepositoryURL? = nil, packages: [PackageText]? = nil
    ) {
        self.name = name
        self.workmachine = workmachine
        self.image = image
        self.milliCPUs = milliCPUs
        self.memory = memory
        self.variables = variables
        self.repository = repository
        self.packages = packages
    }
}

/// `PATCH /api/v1/workspaces/{ref}`; what is nil stays. Limits hold at once where the kernel lets them, variables from the next resume on.
public struct UpdateWorkspace: Sendable, Codable {
    /// The version this change was made from; a stale one is refused with `stale-version`. nil: what `If-Match` says.
    public var version: Int?
    public var milliCPUs: Int?
    /// Bytes.
    public var memory: Int?
    public var variables: [EnvironmentVariable]?

    public init(version: Int?, milliCPUs: Int? = nil, memory: Int? = nil, variables: [EnvironmentVariable]? = nil) {
        self.version = version
        self.milliCPUs = milliCPUs
        self.memory = memory
        self.variables = variables
    }
}

/// The answer to `PUT /api/v1/environments/{ref}`, which takes a `CreateEnvironment`.
public struct EnvironmentApplication: Sendable, Codable {
    public var plan: ApplyPlan
    /// As it is now; nil when it does not exist and was not to be made.
    public var environment: Environment?

    public init(plan: ApplyPlan, environment: Environment?) {
        self.plan = plan
        self.environment = environment
    }
}

/// `POST /api/v1/workspaces/{ref}/connect`
public struct ConnectWorkspace: Sendable, Codable {
    /// `[owner/]name` of the environment.
    public var environment: String

    public init(environment: String) { self.environment = environment }
}

/// `POST /api/v1/environments/{ref}/restart`
public struct RestartServices: Sendable, Codable {
    /// nil: all of them.
    public var services: [Name]?

    public init(services: [Name]?) { self.services = services }
}

/// An environment that is gone and whose volumes are kept: an item of `GET /api/v1/volumes`.
public struct VolumesInfo: Sendable, Codable, Hashable {
    public var owner: Name
    public var environment: Name

    public init(owner: Name, environment: Name) {
        self.owner = owner
        self.environment = environment
    }
}

/// `GET /healthz`, `GET /readyz`
public struct Health: Sendable, Codable {
    /// `ok` or `ready`.
    public var status: String
}

/// `GET /api/v1/session`: who is asking.
public struct SessionInfo: Sendable, Codable, Hashable {
    public enum Role: String, Sendable, Codable, CaseIterable { case owner, admin, workspace }

    public var owner: Name
    public var role: Role
    /// The workspace that asks, when its socket was used.
    public var workspace: Name?
    /// Kiln's version.
    public var version: String

    public init(owner: Name, role: Role, workspace: Name?, version: String) {
        self.owner = owner
        self.role = role
        self.workspace = workspace
        self.version = version
    }
}

/// A list answer.
public struct ResourceList<Item: Sendable & Codable>: Sendable, Codable {
    public var items: [Item]
    /// Pass as `after` to go on; nil at the end.
    public var next: String?

    public init(items: [Item], next: String? = nil) {
        self.items = items
        self.next = next
    }
}

/// `GET /api/v1/workspaces/{ref}/report`: everything `kl status` shows, in one round trip.
public struct WorkspaceReport: Sendable, Codable, Hashable {
    public var workspace: Workspace
    public var workmachine: Name
    /// nil while it does not run.
    public var usage: WorkspaceUsage?
    /// The environment it is or wants to be connected to.
    public var environment: Environment?
    /// All intercepts in that environment.
    public var intercepts: [InterceptSummary]

    public init(
        workspace: Workspace, workmachine: Name, usage: WorkspaceUsage?, environment: Environment?, intercepts: [InterceptSummary] = []
    ) {
        self.workspace = workspace
        self.workmachine = workmachine
        self.usage = usage
        self.environment = environment
        self.intercepts = intercepts
    }
}
