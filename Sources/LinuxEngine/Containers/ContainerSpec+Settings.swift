import CTerminal
import Glibc
import KilnModel
import PodmanClient

extension ContainerSpec {
    /// Takes over what a service says of its container.
    mutating func apply(_ settings: ContainerSettings) {
        user = settings.user?.value
        groups = settings.groups.map(\.value)
        workingDirectory = settings.workingDirectory.map { $0.components.isEmpty ? "/" : $0.value }
        kernelSettings = settings.kernelSettings.filter { !$0.isNetwork }
        processLimits = settings.processLimits
        limits = settings.limits
        if let hasInit = settings.hasInit { self.hasInit = hasInit }
        if let signal = settings.stopSignal { stopSignal = Int32(signal.number) }
        if let period = settings.stopGracePeriod { stopTimeout = Int(period.rounded(.up)) }
        sharedMemory = settings.sharedMemory
        isReadOnly = settings.isReadOnly
        hasTerminal = settings.hasTerminal
        keepsInputOpen = settings.keepsInputOpen
        hasNoNewPrivileges = settings.hasNoNewPrivileges
        temporaryFileSystems += settings.memoryFolders.map { .init(destination: $0.path.value, size: $0.size, mode: $0.mode ?? 0o1777) }
        addedCapabilities = settings.addedCapabilities.map(\.value)
        droppedCapabilities = settings.droppedCapabilities.map(\.value)
    }

    /// The limits of processes that Podman is told: those asked for, but none above what this process may give, since Podman's container would
    /// not start with one (setrlimit(2): raising a hard limit takes CAP_SYS_RESOURCE).
    func processLimits(below ours: ProcessLimits) -> [ContainerSpecification.ProcessLimit] {
        var limits: [ProcessLimit.Kind: (soft: UInt64, hard: UInt64)] = [
            .nofile: (ours.openFiles, ours.openFiles), .nproc: (ours.processes, ours.processes),
        ]
        for limit in processLimits {
            let most = limit.kind == .nofile ? ours.openFiles : limit.kind == .nproc ? ours.processes : limit.kind.hardLimit
            let hard = min(limit.hard.map { UInt64($0) } ?? .max, most)
            limits[limit.kind] = (min(limit.soft.map { UInt64($0) } ?? .max, hard), hard)
        }
        return limits.sorted { $0.key.rawValue < $1.key.rawValue }.map {
            .init(type: $0.key.rawValue.uppercased(), soft: $0.value.soft, hard: $0.value.hard)
        }
    }
}

extension ProcessLimit.Kind {
    /// The hard limit of this process.
    fileprivate var hardLimit: UInt64 {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return 0 }
        return UInt64(limit.rlim_max)
    }

    private var resource: __rlimit_resource {
        switch self {
        case .addressSpace: RLIMIT_AS
        case .core: RLIMIT_CORE
        case .cpu: RLIMIT_CPU
        case .data: RLIMIT_DATA
        case .fsize: RLIMIT_FSIZE
        case .locks: __RLIMIT_LOCKS
        case .memlock: __RLIMIT_MEMLOCK
        case .msgqueue: __RLIMIT_MSGQUEUE
        case .nice: __RLIMIT_NICE
        case .nofile: RLIMIT_NOFILE
        case .nproc: __RLIMIT_NPROC
        case .rss: __RLIMIT_RSS
        case .rtprio: __RLIMIT_RTPRIO
        case .rttime: __RLIMIT_RTTIME
        case .sigpending: __RLIMIT_SIGPENDING
        case .stack: RLIMIT_STACK
        }
    }
}
