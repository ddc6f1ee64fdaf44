import Glibc
public import KilnModel
import PodmanClient

/// What a container should be.
public struct ContainerSpec: Sendable, Hashable {
    /// The ids of a container's user namespace: 0 to 65535 inside are `firstID` and up on the host, users and groups alike.
    public struct UserRange: Sendable, Hashable {
        public var firstID: Int

        public init(firstID: Int) { self.firstID = firstID }
    }

    /// A folder or file of the host inside a container. Always nosuid and nodev.
    public struct Mount: Sendable, Hashable, Codable {
        public var source: String
        public var destination: String
        public var readOnly: Bool
        /// Whether programs in it may be run.
        public var executable: Bool

        public init(source: String, destination: String, readOnly: Bool = false, executable: Bool = true) {
            self.source = source
            self.destination = destination
            self.readOnly = readOnly
            self.executable = executable
        }
    }

    /// A file system in memory.
    public struct TemporaryFileSystem: Sendable, Hashable {
        public var destination: String
        /// Bytes; nil: half of the memory.
        public var size: Int?
        public var mode: Int

        public init(destination: String, size: Int? = nil, mode: Int = 0o1777) {
            self.destination = destination
            self.size = size
            self.mode = mode
        }
    }

    /// What root inside may do. Enough for apt-get, sudo, su, ping and an SSH server; nothing over the network namespace, which belongs to the
    /// host's user namespace.
    public static let defaultCapabilities = [
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE",
        "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
    ]
    /// Bytes of log at which a container's begins anew.
    static let logSize = 10 << 20

    /// Unique within the instance.
    public var name: String
    /// A reference or id of an image in the store.
    public var image: String
    public var hostname: String
    public var labels: [String: String] = [:]
    public var variables: [EnvironmentVariable] = []
    /// Replaces the image's command; nil keeps it.
    public var command: [String]?
    /// Replaces the image's entrypoint; nil keeps it.
    public var entrypoint: [String]?
    public var userRange: UserRange
    /// Path of the network namespace, such as `/run/netns/NAME`.
    public var networkNamespace: String
    /// The namespace's sysfs (`SysfsMount`), which becomes `/sys`.
    public var sysfs: String
    public var mounts: [Mount] = []
    public var temporaryFileSystems: [TemporaryFileSystem] = []
    public var limits: ServiceLimits?
    /// Limits of its processes, besides those that all containers have.
    public var processLimits: [ProcessLimit] = []
    /// The user and group of its program; nil: the image's.
    public var user: String?
    public var groups: [String] = []
    /// nil: the image's.
    public var workingDirectory: String?
    /// Of the IPC namespace; the network namespace is not made with the container.
    public var kernelSettings: [KernelSetting] = []
    /// Bytes of `/dev/shm`.
    public var sharedMemory: Int?
    public var isReadOnly = false
    public var hasTerminal = false
    public var keepsInputOpen = false
    public var hasNoNewPrivileges = false
    /// Whether a small init is process 1; without one a program that ignores SIGTERM makes every stop take its whole grace.
    public var hasInit = true
    public var stopSignal: Int32 = SIGTERM
    /// Seconds between the stop signal and SIGKILL.
    public var stopTimeout = 10
    public var restart: Service.RestartPolicy = .no
    public var addedCapabilities: [String] = []
    public var droppedCapabilities: [String] = []

    /// - Parameters:
    ///   - networkNamespace: Kiln's own `/etc/hosts` and `/etc/resolv.conf` come as `mounts`; Podman writes neither.
    public init(name: String, image: String, hostname: String, userRange: UserRange, networkNamespace: String, sysfs: String) {
        self.name = name
        self.image = image
        self.hostname = hostname
        self.userRange = userRange
        self.networkNamespace = networkNamespace
        self.sysfs = sysfs
    }

    /// As Podman takes it. Pure.
    func specification(cgroupParent: String, limits processLimits: ProcessLimits, staging: StagedMounts) -> ContainerSpecification {
        var result = ContainerSpecification(name: name, image: image)
        result.hostname = hostname
        result.labels = labels
        result.environment = Dictionary(variables.map { ($0.key, $0.value) }) { _, last in last }
        result.command = command
        result.entrypoint = entrypoint
        let range = ContainerSpecification.IDMap(host: userRange.firstID, size: Instance.rangeSize)
        result.userNamespace = .init(mode: "private")
        result.idMappings = .init(users: [range], groups: [range])
        result.networkNamespace = .init(mode: "path", value: networkNamespace)
        result.mounts = allMounts(staging)
        if let limits, limits != ServiceLimits() {
            result.resourceLimits = .init(
                // The same with swap: none is used, so that a limit means what it says.
                memory: limits.memory.map { .init(limit: $0, swap: $0) }, cpu: limits.milliCPUs.map { .init(quota: max($0 * 100, 1000)) },
                pids: limits.pids.map { .init(limit: $0) })
        }
        result.processLimits = self.processLimits(below: processLimits)
        result.user = user
        result.groups = groups.isEmpty ? nil : groups
        result.workingDirectory = workingDirectory
        result.kernelSettings = kernelSettings.isEmpty ? nil : Dictionary(kernelSettings.map { ($0.key, $0.value) }) { $1 }
        result.sharedMemory = sharedMemory
        result.isReadOnly = isReadOnly ? true : nil
        result.hasTerminal = hasTerminal ? true : nil
        result.keepsInputOpen = keepsInputOpen ? true : nil
        result.hasNoNewPrivileges = hasNoNewPrivileges ? true : nil
        result.hasInit = hasInit
        result.stopSignal = Int(stopSignal)
        result.stopTimeout = stopTimeout
        switch restart {
        case .no: result.restartPolicy = "no"
        case .always: result.restartPolicy = "always"
        case .unlessStopped: result.restartPolicy = "unless-stopped"
        case .onFailure(let maximum):
            result.restartPolicy = "on-failure"
            result.restartTries = maximum
        }
        result.capabilitiesAdded = addedCapabilities
        result.capabilitiesDropped = droppedCapabilities
        result.cgroupParent = cgroupParent
        result.logging = .init(driver: "k8s-file", size: Self.logSize)
        // Podman's own checks need systemd's timers; Kiln runs a service's check itself.
        result.healthcheck = .init(test: ["NONE"])
        result.usesImageHosts = true
        result.usesImageResolver = true
        return result
    }

    private func allMounts(_ staging: StagedMounts) -> [ContainerSpecification.Mount] {
        let system = ContainerSpecification.Mount(
            type: "bind", source: sysfs, destination: "/sys", options: ["ro", "rbind", "nosuid", "nodev", "noexec"])
        let binds = mounts.enumerated().map { index, mount in
            ContainerSpecification.Mount(
                type: "bind", source: staging.path(index), destination: mount.destination,
                options: ["rbind", "nosuid", "nodev", mount.readOnly ? "ro" : "rw"] + (mount.executable ? [] : ["noexec"]))
        }
        let memory = temporaryFileSystems.map { file in
            ContainerSpecification.Mount(
                type: "tmpfs", destination: file.destination,
                options: ["nosuid", "nodev", "mode=\(String(file.mode, radix: 8))"] + (file.size.map { ["size=\($0)"] } ?? []))
        }
        return [system] + binds + memory
    }
}
