/// One service of an environment, as read from its Compose file.
public struct Service: Sendable, Codable, Hashable {
    public var name: Name
    /// Decides its virtual and container addresses; from 1, stable while the environment lives.
    public var addressIndex: Int
    /// Further names by which it is reached.
    public var aliases: [HostName]
    /// Containers behind its one name.
    public var replicas: Int
    public var image: ServiceImage
    public var command: [String]?
    public var entrypoint: [String]?
    public var variables: [EnvironmentVariable]
    /// Variables whose values hold secrets; they win over `variables`.
    public var secretVariables: [SecretVariable]
    /// Ports from `ports` (container side) and `expose`.
    public var ports: [ServicePort]
    /// Those of them that have names; nil: none has.
    public var namedPorts: [NamedPort]?
    public var volumes: [VolumeMount]
    public var files: [FileMount]
    public var dependencies: [Dependency]
    public var healthcheck: Healthcheck?
    public var restart: RestartPolicy
    public var settings: ContainerSettings

    public init(
        name: Name, addressIndex: Int, aliases: [HostName] = [], replicas: Int = 1, image: ServiceImage, command: [String]? = nil,
        entrypoint: [String]? = nil, variables: [EnvironmentVariable] = [], secretVariables: [SecretVariable] = [], ports: [ServicePort] = [],
        volumes: [VolumeMount] = [], files: [FileMount] = [], dependencies: [Dependency] = [], healthcheck: Healthcheck? = nil,
        restart: RestartPolicy = .no, settings: ContainerSettings = ContainerSettings()
    ) {
        self.name = name
        self.addressIndex = addressIndex
        self.aliases = aliases
        self.replicas = replicas
        self.image = image
        self.command = command
        self.entrypoint = entrypoint
        self.variables = variables
        self.secretVariables = secretVariables
        self.ports = ports
        self.volumes = volumes
        self.files = files
        self.dependencies = dependencies
        self.healthcheck = healthcheck
        self.restart = restart
        self.settings = settings
    }

    /// A named volume of the environment, mounted at an absolute path.
    public struct VolumeMount: Sendable, Codable, Hashable {
        public var volume: VolumeName
        public var path: String
        public var readOnly: Bool
        /// Whether a new one begins empty, whatever the image has at its place; nil: it does not.
        public var isEmpty: Bool?

        public init(volume: VolumeName, path: String, readOnly: Bool = false, isEmpty: Bool? = nil) {
            self.volume = volume
            self.path = path
            self.readOnly = readOnly
            self.isEmpty = isEmpty
        }
    }

    public struct Dependency: Sendable, Codable, Hashable {
        /// Raw values as Compose writes them.
        public enum Condition: String, Sendable, Codable, CaseIterable {
            case started = "service_started", healthy = "service_healthy", completed = "service_completed_successfully"
        }

        public var service: Name
        public var condition: Condition
        /// Whether the service that depends must not start when this cannot be had.
        public var required: Bool
        /// Whether the service that depends is made again with the other.
        public var restart: Bool

        public init(service: Name, condition: Condition, required: Bool = true, restart: Bool = false) {
            self.service = service
            self.condition = condition
            self.required = required
            self.restart = restart
        }
    }

    /// Durations in seconds.
    public struct Healthcheck: Sendable, Codable, Hashable {
        /// What a check says besides its program, by its key in a Compose file.
        public enum Time: String, Sendable, Codable, CaseIterable {
            case interval, timeout, retries
            case startPeriod = "start_period", startInterval = "start_interval"
        }

        /// The program and its arguments; a `CMD-SHELL` test is `["/bin/sh", "-c", TEXT]`. Empty disables the image's own, unless it is
        /// `usesImage`.
        public var command: [String]
        /// The image's own program is run.
        public var usesImage: Bool
        /// With `usesImage`, what the image says is kept of these; nil: of none.
        public var imageTimes: [Time]?
        public var interval: Double
        public var timeout: Double
        public var retries: Int
        public var startPeriod: Double
        /// Between two checks in the start period; nil: whatever is quick.
        public var startInterval: Double?

        public init(
            command: [String], usesImage: Bool = false, interval: Double = 30, timeout: Double = 30, retries: Int = 3, startPeriod: Double = 0,
            startInterval: Double? = nil
        ) {
            self.command = command
            self.usesImage = usesImage
            self.interval = interval
            self.timeout = timeout
            self.retries = retries
            self.startPeriod = startPeriod
            self.startInterval = startInterval
        }
    }

    /// In JSON as a Compose file writes it: `unless-stopped`, `on-failure:5`.
    public enum RestartPolicy: Sendable, Hashable {
        case no, always, unlessStopped
        case onFailure(maximumRetries: Int?)
    }

    /// The secrets that its files and variables are filled with.
    public var secrets: Set<SecretName> {
        var names = Set(secretVariables.flatMap(\.value.secrets))
        for file in files {
            if case .secret(let name) = file.source { names.insert(name) }
        }
        return names
    }
}
