public import KilnModel

/// `POST /api/v1/workspaces/{ref}/intercept`. `InterceptWish` says what follows from what is left out.
public struct StartIntercept: Sendable, Codable, Hashable {
    public var service: Name
    public var ports: [InterceptWish.PortWish]?
    /// Default: `drain`.
    public var existing: Intercept.Existing?
    /// Default: true.
    public var fallback: Bool?
    /// Takes ports from the workspaces that intercept them. Default: false.
    public var takeOver: Bool?

    public init(_ wish: InterceptWish, takeOver: Bool) {
        service = wish.service
        ports = wish.ports
        existing = wish.existing
        fallback = wish.fallback
        self.takeOver = takeOver
    }

    public var wish: InterceptWish {
        InterceptWish(service: service, ports: ports ?? [], existing: existing ?? .drain, fallback: fallback ?? true)
    }
}

/// `POST /api/v1/workspaces/{ref}/release`
public struct StopIntercept: Sendable, Codable, Hashable {
    /// nil: all that the workspace intercepts.
    public var service: Name?
    /// Of the service; nil: all.
    public var ports: [ServicePort]?

    public init(service: Name? = nil, ports: [ServicePort]? = nil) {
        self.service = service
        self.ports = ports
    }
}

/// One intercept and who has it: an item of `GET /api/v1/environments/{ref}/intercepts`.
public struct InterceptSummary: Sendable, Codable, Hashable {
    public var environment: ResourceID?
    public var owner: Name
    public var workspace: Name
    public var service: Name
    public var port: ServicePort
    public var target: UInt16
    public var phase: InterceptStatus.Phase
    public var reason: Reason?
    /// The last change of phase.
    public var since: Timestamp

    public init(_ status: InterceptStatus, of workspace: Workspace) {
        environment = workspace.spec.connection
        owner = workspace.metadata.owner
        self.workspace = workspace.metadata.name
        service = status.service
        port = status.port
        target = status.target
        phase = status.phase
        reason = status.reason
        since = status.since
    }

    /// What a workspace intercepts, and what others took over from it.
    public static func all(of workspace: Workspace) -> [InterceptSummary] {
        let known = Dictionary(workspace.status.intercepts.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        let wanted = workspace.spec.intercepts.map { known[$0.key] ?? InterceptStatus($0, .starting, since: $0.since) }
        return (wanted + workspace.status.intercepts.filter { $0.phase == .lost }).map { InterceptSummary($0, of: workspace) }
    }

    public var key: Intercept.Key { Intercept.Key(service, port) }
}

/// One intercept of a workspace with what passed through it: an item of `GET /api/v1/workspaces/{ref}/intercepts`.
public struct InterceptReport: Sendable, Codable, Hashable {
    public struct Traffic: Sendable, Codable, Hashable {
        /// Connections and, with UDP, exchanges.
        public var connections: Int
        /// IP packets' bytes in both directions.
        public var bytes: Int
        /// Those with the most connections first.
        public var callers: [Caller]

        public init(connections: Int, bytes: Int, callers: [Caller]) {
            self.connections = connections
            self.bytes = bytes
            self.callers = callers
        }
    }

    public struct Caller: Sendable, Codable, Hashable {
        /// A service's name, `owner/name` of a workspace, or else the address.
        public var name: String
        public var address: IPv4Address
        public var connections: Int

        public init(name: String, address: IPv4Address, connections: Int) {
            self.name = name
            self.address = address
            self.connections = connections
        }
    }

    public var intercept: InterceptSummary
    /// nil for one that was lost.
    public var existing: Intercept.Existing?
    public var fallback: Bool?
    /// nil while nothing can be known of it.
    public var traffic: Traffic?

    public init(_ intercept: InterceptSummary, settings: Intercept?, traffic: Traffic?) {
        self.intercept = intercept
        existing = settings?.existing
        fallback = settings?.fallback
        self.traffic = traffic
    }
}

/// What a service runs with, as its environment declares it: `GET /api/v1/environments/{ref}/surroundings?service=NAME`.
public struct ServiceSurroundings: Sendable, Codable, Hashable {
    public var service: Name
    public var variables: [EnvironmentVariable]
    public var mounts: [Mount]
    /// The names of those that its variables and files hold, for who may see them; values are nobody's business.
    public var secrets: [String]

    public struct Mount: Sendable, Codable, Hashable {
        /// A volume's name; of a file or folder that came with the Compose file, where it lay; `secret NAME`; or the name of a config.
        public var volume: String
        /// Where the service sees it.
        public var path: String
        public var readOnly: Bool

        public init(volume: String, path: String, readOnly: Bool) {
            self.volume = volume
            self.path = path
            self.readOnly = readOnly
        }
    }

    public init(service: Name, variables: [EnvironmentVariable], mounts: [Mount], secrets: [String]) {
        self.service = service
        self.variables = variables
        self.mounts = mounts
        self.secrets = secrets
    }
}
