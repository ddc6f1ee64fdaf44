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

    public init(
        name: Name, workmachine: Name? = nil, image: ImageReference? = nil, milliCPUs: Int? = nil, memory: Int? = nil,
        variables: [EnvironmentVariable]? = nil, repository: RepositoryURL? = nil
    ) {
        self.name = name
        self.workmachine = workmachine
        self.image = image
        self.milliCPUs = milliCPUs
        self.memory = memory
        self.variables = variables
        self.repository = repository
    }
}

/// `PATCH /api/v1/workspaces/{ref}`; what is nil stays. Takes effect at the next resume.
public struct UpdateWorkspace: Sendable, Codable {
    /// The version this change was made from; a stale one is refused with `stale-version`.
    public var version: Int
    public var milliCPUs: Int?
    /// Bytes.
    public var memory: Int?
    public var variables: [EnvironmentVariable]?

    public init(version: Int, milliCPUs: Int? = nil, memory: Int? = nil, variables: [EnvironmentVariable]? = nil) {
        self.version = version
        self.milliCPUs = milliCPUs
        self.memory = memory
        self.variables = variables
    }
}

/// `POST /api/v1/environments`. The Compose file travels as text; build contexts were uploaded before, by digest.
public struct CreateEnvironment: Sendable, Codable {
    public var name: Name
    /// Default: `local`.
    public var workmachine: Name?
    /// The text of the Compose file.
    public var compose: String
    /// What to call the file in errors.
    public var file: String
    /// The variables that the file refers to and the caller has set.
    public var variables: [String: String]
    /// Path as written in the file → text. The one at `.env` gives the variables that the caller has not set.
    public var environmentFiles: [String: String]
    /// Context path as written in the file → digest of its tar.
    public var contexts: [String: ContentDigest]

    public init(
        name: Name, workmachine: Name? = nil, compose: String, file: String, variables: [String: String] = [:],
        environmentFiles: [String: String] = [:], contexts: [String: ContentDigest] = [:]
    ) {
        self.name = name
        self.workmachine = workmachine
        self.compose = compose
        self.file = file
        self.variables = variables
        self.environmentFiles = environmentFiles
        self.contexts = contexts
    }
}

/// What an environment is made of: its file with all that travelled along, and the variables set by command since.
public struct EnvironmentDefinition: Sendable, Codable {
    public var request: CreateEnvironment
    /// They win over the request's own.
    public var configuration: [String: String]

    public init(request: CreateEnvironment, configuration: [String: String] = [:]) {
        self.request = request
        self.configuration = configuration
    }
}

/// The answer to `PUT /api/v1/environments/{ref}`.
public struct EnvironmentApplication: Sendable, Codable {
    public var plan: ApplyPlan
    /// As it is now; nil when it does not exist and was not to be made.
    public var environment: Environment?

    public init(plan: ApplyPlan, environment: Environment?) {
        self.plan = plan
        self.environment = environment
    }
}

/// `POST /api/v1/compose`: what a Compose file needs from its author's machine. Answered by `ComposeInspection`; makes nothing.
///
/// The file is read here, not by the caller, since a YAML reader would more than double the size of `kl`.
public struct InspectCompose: Sendable, Codable {
    public var compose: String
    /// What to call the file in errors.
    public var file: String
    /// The variables that the file may refer to and the caller has set.
    public var variables: [String: String]
    /// The text of a `.env` beside the file.
    public var variablesFile: String?

    public init(compose: String, file: String, variables: [String: String], variablesFile: String?) {
        self.compose = compose
        self.file = file
        self.variables = variables
        self.variablesFile = variablesFile
    }
}

/// What must travel along with a Compose file.
public struct ComposeInspection: Sendable, Codable, Hashable {
    public struct Context: Sendable, Codable, Hashable {
        /// As written in the file.
        public var path: String
        /// The Containerfiles in it that are built; they travel even when `.dockerignore` names them.
        public var containerfiles: [String]

        public init(path: String, containerfiles: [String]) {
            self.path = path
            self.containerfiles = containerfiles
        }
    }

    public struct EnvironmentFile: Sendable, Codable, Hashable {
        /// As written in the file.
        public var path: String
        public var required: Bool

        public init(path: String, required: Bool) {
            self.path = path
            self.required = required
        }
    }

    public var contexts: [Context]
    public var environmentFiles: [EnvironmentFile]
    /// Every variable the file refers to.
    public var variables: [String]
    public var warnings: [String]

    public init(contexts: [Context], environmentFiles: [EnvironmentFile], variables: [String], warnings: [String]) {
        self.contexts = contexts
        self.environmentFiles = environmentFiles
        self.variables = variables
        self.warnings = warnings
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

/// `GET /api/v1/session`: who is asking.
public struct SessionInfo: Sendable, Codable, Hashable {
    public enum Role: String, Sendable, Codable { case owner, admin, workspace }

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

    public init(workspace: Workspace, workmachine: Name, usage: WorkspaceUsage?, environment: Environment?) {
        self.workspace = workspace
        self.workmachine = workmachine
        self.usage = usage
        self.environment = environment
    }
}
