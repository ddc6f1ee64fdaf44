/// A set of services with a private network.
public struct Environment: Resource {
    public static let kind = ResourceKind.environment
    public var metadata: Metadata
    public var spec: Spec
    public var status: Status

    public init(metadata: Metadata, spec: Spec, status: Status = Status()) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    public enum DesiredState: String, Sendable, Codable { case running, stopped }

    public struct Spec: Sendable, Codable, Hashable {
        public var workmachine: ResourceID
        public var desiredState: DesiredState
        public var services: [Service]
        /// Decides the address of its uplink (`AddressPlan.environment`).
        public var addressIndex: Int
        /// Which of the instance's user-id ranges its containers run in; unique per installation, workmachines' ranges included.
        public var rangeIndex: Int
        /// Under which its volumes lie. It outlives the environment unless they are deleted along, so that the next environment of this name
        /// finds them again.
        public var volumeSet: ResourceID
        /// Whether deletion takes the volumes along.
        public var deletesVolumes: Bool
        /// How often services were asked to start afresh. A service's number is part of what its container is made from.
        public var generations: [Name: Int] = [:]

        public init(
            workmachine: ResourceID, desiredState: DesiredState = .running, services: [Service], addressIndex: Int, rangeIndex: Int,
            volumeSet: ResourceID,
            deletesVolumes: Bool = false
        ) {
            self.workmachine = workmachine
            self.desiredState = desiredState
            self.services = services
            self.addressIndex = addressIndex
            self.rangeIndex = rangeIndex
            self.volumeSet = volumeSet
            self.deletesVolumes = deletesVolumes
        }
    }

    public enum Phase: String, Sendable, Codable {
        case pending = "Pending", building = "Building", starting = "Starting", running = "Running", degraded = "Degraded",
            stopping = "Stopping", stopped = "Stopped", deleting = "Deleting", failed = "Failed"
    }

    public struct Status: Sendable, Codable, Hashable {
        public var phase: Phase = .pending
        public var reason: Reason?
        /// What is being done right now, for progress lines.
        public var activity: String?
        /// Unix time of the last change of phase.
        public var since: Double = 0
        public var observedVersion: Int = 0
        public var services: [ServiceStatus] = []

        public init() {}
    }
}

/// One service of an environment, as read from its Compose file.
public struct Service: Sendable, Codable, Hashable {
    public var name: Name
    /// Decides its virtual and container addresses; from 1, stable while the environment lives.
    public var addressIndex: Int
    public var image: ServiceImage
    public var command: [String]?
    public var entrypoint: [String]?
    public var variables: [EnvironmentVariable]
    /// Ports from `ports` (container side) and `expose`.
    public var ports: [ServicePort]
    public var volumes: [VolumeMount]
    public var dependencies: [Dependency]
    public var healthcheck: Healthcheck?
    public var restart: RestartPolicy

    public init(
        name: Name, addressIndex: Int, image: ServiceImage, command: [String]? = nil, entrypoint: [String]? = nil,
        variables: [EnvironmentVariable] = [], ports: [ServicePort] = [], volumes: [VolumeMount] = [], dependencies: [Dependency] = [],
        healthcheck: Healthcheck? = nil, restart: RestartPolicy = .no
    ) {
        self.name = name
        self.addressIndex = addressIndex
        self.image = image
        self.command = command
        self.entrypoint = entrypoint
        self.variables = variables
        self.ports = ports
        self.volumes = volumes
        self.dependencies = dependencies
        self.healthcheck = healthcheck
        self.restart = restart
    }

    /// A named volume of the environment, mounted at an absolute path.
    public struct VolumeMount: Sendable, Codable, Hashable {
        public var volume: VolumeName
        public var path: String
        public var readOnly: Bool

        public init(volume: VolumeName, path: String, readOnly: Bool = false) {
            self.volume = volume
            self.path = path
            self.readOnly = readOnly
        }
    }

    public struct Dependency: Sendable, Codable, Hashable {
        /// Raw values as Compose writes them.
        public enum Condition: String, Sendable, Codable {
            case started = "service_started", healthy = "service_healthy", completed = "service_completed_successfully"
        }

        public var service: Name
        public var condition: Condition

        public init(service: Name, condition: Condition) {
            self.service = service
            self.condition = condition
        }
    }

    /// Durations in seconds.
    public struct Healthcheck: Sendable, Codable, Hashable {
        /// The program and its arguments; a `CMD-SHELL` test is `["/bin/sh", "-c", TEXT]`. Empty disables the image's own.
        public var command: [String]
        public var interval: Double
        public var timeout: Double
        public var retries: Int
        public var startPeriod: Double

        public init(command: [String], interval: Double = 30, timeout: Double = 30, retries: Int = 3, startPeriod: Double = 0) {
            self.command = command
            self.interval = interval
            self.timeout = timeout
            self.retries = retries
            self.startPeriod = startPeriod
        }
    }

    public enum RestartPolicy: Sendable, Codable, Hashable {
        case no, always, unlessStopped
        case onFailure(maximumRetries: Int?)
    }
}

/// Where a service's image comes from.
public enum ServiceImage: Sendable, Codable, Hashable {
    case reference(ImageReference)
    case build(ImageBuild)
}

/// A build of an image from a context; its tag derives from its content, so that the same build is never done twice.
public struct ImageBuild: Sendable, Codable, Hashable {
    /// SHA-256 of the context tar, 64 hex digits.
    public var context: ContentDigest
    /// Path of the Containerfile within the context.
    public var containerfile: String
    public var arguments: [EnvironmentVariable]
    public var target: String?

    public init(context: ContentDigest, containerfile: String = "Dockerfile", arguments: [EnvironmentVariable] = [], target: String? = nil) {
        self.context = context
        self.containerfile = containerfile
        self.arguments = arguments
        self.target = target
    }
}

/// A service as last observed.
public struct ServiceStatus: Sendable, Codable, Hashable {
    public enum Phase: String, Sendable, Codable {
        case waiting = "Waiting", starting = "Starting", running = "Running", healthy = "Healthy", unhealthy = "Unhealthy", exited = "Exited",
            stopped = "Stopped", failed = "Failed"
    }

    public var name: Name
    public var phase: Phase
    public var reason: Reason?
    public var address: IPv4Address
    public var ports: [ServicePort]
    /// Exit status of the last run, when it has ended.
    public var exitStatus: Int?
    public var restarts: Int

    public init(
        name: Name, phase: Phase, reason: Reason? = nil, address: IPv4Address, ports: [ServicePort], exitStatus: Int? = nil, restarts: Int = 0
    ) {
        self.name = name
        self.phase = phase
        self.reason = reason
        self.address = address
        self.ports = ports
        self.exitStatus = exitStatus
        self.restarts = restarts
    }
}
