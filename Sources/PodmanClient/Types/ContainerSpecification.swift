/// The parts of Podman's `SpecGenerator` that a caller sets; nil leaves Podman's default.
public struct ContainerSpecification: Encodable, Sendable {
    public struct Namespace: Encodable, Sendable, Hashable {
        /// `private`, `host`, `path` or `none`.
        public var mode: String
        /// The path, in mode `path`.
        public var value: String?

        public init(mode: String, value: String? = nil) {
            self.mode = mode
            self.value = value
        }

        enum CodingKeys: String, CodingKey { case mode = "nsmode", value }
    }

    /// A range of ids inside and outside a container.
    public struct IDMap: Encodable, Sendable, Hashable {
        public var container: Int
        public var host: Int
        public var size: Int

        public init(container: Int = 0, host: Int, size: Int) {
            self.container = container
            self.host = host
            self.size = size
        }

        enum CodingKeys: String, CodingKey { case container = "container_id", host = "host_id", size }
    }

    public struct IDMappings: Encodable, Sendable, Hashable {
        public var users: [IDMap]
        public var groups: [IDMap]

        public init(users: [IDMap], groups: [IDMap]) {
            self.users = users
            self.groups = groups
        }

        enum CodingKeys: String, CodingKey { case users = "UIDMap", groups = "GIDMap" }
    }

    public struct Mount: Encodable, Sendable, Hashable {
        /// `bind`, `tmpfs` and the like.
        public var type: String
        public var source: String?
        public var destination: String
        public var options: [String]

        public init(type: String, source: String? = nil, destination: String, options: [String] = []) {
            self.type = type
            self.source = source
            self.destination = destination
            self.options = options
        }
    }

    public struct ResourceLimits: Encodable, Sendable, Hashable {
        public struct Memory: Encodable, Sendable, Hashable {
            /// Bytes.
            public var limit: Int
            /// Bytes of memory and swap together.
            public var swap: Int

            public init(limit: Int, swap: Int) {
                self.limit = limit
                self.swap = swap
            }
        }

        public struct CPU: Encodable, Sendable, Hashable {
            /// Microseconds of CPU time a period.
            public var quota: Int
            /// Microseconds.
            public var period: Int

            public init(quota: Int, period: Int = 100_000) {
                self.quota = quota
                self.period = period
            }
        }

        public struct PIDs: Encodable, Sendable, Hashable {
            public var limit: Int

            public init(limit: Int) { self.limit = limit }
        }

        public var memory: Memory?
        public var cpu: CPU?
        public var pids: PIDs?

        public init(memory: Memory? = nil, cpu: CPU? = nil, pids: PIDs? = nil) {
            self.memory = memory
            self.cpu = cpu
            self.pids = pids
        }
    }

    /// One rlimit; its type without `RLIMIT_`, such as `NOFILE`.
    public struct ProcessLimit: Encodable, Sendable, Hashable {
        public var type: String
        public var soft: UInt64
        public var hard: UInt64

        public init(type: String, soft: UInt64, hard: UInt64) {
            self.type = type
            self.soft = soft
            self.hard = hard
        }
    }

    public struct Logging: Encodable, Sendable, Hashable {
        /// `k8s-file`, say.
        public var driver: String
        /// Bytes at which the log begins anew.
        public var size: Int?

        public init(driver: String, size: Int? = nil) {
            self.driver = driver
            self.size = size
        }
    }

    public struct Healthcheck: Encodable, Sendable, Hashable {
        /// `["NONE"]` turns the image's own off.
        public var test: [String]

        public init(test: [String]) { self.test = test }

        enum CodingKeys: String, CodingKey { case test = "Test" }
    }

    public var name: String
    public var image: String
    public var command: [String]?
    public var entrypoint: [String]?
    public var environment: [String: String]?
    public var hostname: String?
    public var labels: [String: String]?
    public var userNamespace: Namespace?
    public var idMappings: IDMappings?
    public var networkNamespace: Namespace?
    public var mounts: [Mount]?
    public var resourceLimits: ResourceLimits?
    public var processLimits: [ProcessLimit]?
    /// Whether a small init is process 1.
    public var hasInit: Bool?
    /// A signal's number.
    public var stopSignal: Int?
    /// Seconds.
    public var stopTimeout: Int?
    /// `no`, `always`, `on-failure` or `unless-stopped`.
    public var restartPolicy: String?
    public var restartTries: Int?
    public var capabilitiesAdded: [String]?
    public var capabilitiesDropped: [String]?
    public var cgroupParent: String?
    public var logging: Logging?
    public var healthcheck: Healthcheck?
    /// `USER[:GROUP]`, by name or id.
    public var user: String?
    /// Further groups of that user.
    public var groups: [String]?
    public var workingDirectory: String?
    /// sysctl(8) names and values, of namespaces that are made with the container.
    public var kernelSettings: [String: String]?
    /// Bytes of `/dev/shm`.
    public var sharedMemory: Int?
    /// Whether the root file system cannot be written.
    public var isReadOnly: Bool?
    public var hasTerminal: Bool?
    public var keepsInputOpen: Bool?
    public var hasNoNewPrivileges: Bool?
    /// Leaves `/etc/hosts` alone.
    public var usesImageHosts: Bool?
    /// Leaves `/etc/resolv.conf` alone.
    public var usesImageResolver: Bool?

    public init(name: String, image: String) {
        self.name = name
        self.image = image
    }

    enum CodingKeys: String, CodingKey {
        case name, image, command, entrypoint, hostname, labels, mounts, user, groups
        case workingDirectory = "work_dir", kernelSettings = "sysctl", sharedMemory = "shm_size", isReadOnly = "read_only_filesystem"
        case hasTerminal = "terminal", keepsInputOpen = "stdin", hasNoNewPrivileges = "no_new_privileges"
        case environment = "env", userNamespace = "userns", idMappings = "idmappings", networkNamespace = "netns"
        case resourceLimits = "resource_limits", processLimits = "r_limits", hasInit = "init", stopSignal = "stop_signal"
        case stopTimeout = "stop_timeout", restartPolicy = "restart_policy", restartTries = "restart_tries"
        case capabilitiesAdded = "cap_add", capabilitiesDropped = "cap_drop", cgroupParent = "cgroup_parent"
        case logging = "log_configuration", healthcheck = "healthconfig"
        case usesImageHosts = "use_image_hosts", usesImageResolver = "use_image_resolve_conf"
    }
}
