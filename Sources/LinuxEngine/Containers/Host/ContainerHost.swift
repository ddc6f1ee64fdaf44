import FileWork
public import PodmanClient
import CommandRunner
import FoundationEssentials
import Glibc
import KilnModel
public import Logging

/// Podman as Kiln runs it: with roots, sockets, cgroups and locks of its own, beside any other Podman of the host.
///
/// Prepare it, keep `run()` going, and make containers, run programs in them and build images. Nothing here is remembered between calls: what
/// exists is asked of Podman. All errors are `KilnError`.
public struct ContainerHost: Sendable {
    public let configuration: Configuration
    /// Podman's API; calls wait a few seconds for a service that restarts.
    public let client: PodmanClient
    /// A service that starts while a build holds the storage's lock takes its time.
    private static let patience = Duration.seconds(20)
    let runtimeProgram: Runtime
    let cgroups: CgroupLayout
    let limits: ProcessLimits
    let programs: Programs
    let logger: Logger

    /// The OCI runtime chosen for this host: `crun 1.8.1`, say.
    public var runtime: String { runtimeProgram.description }

    /// Makes the folders (0700, root's) and configuration files, and finds the runtime that works here. Harmless when repeated.
    /// - Throws: `KilnError` with `engine-unavailable` when a program is missing or no runtime runs here.
    public static func prepare(_ configuration: Configuration, logger: Logger) async throws -> ContainerHost {
        // A program that stops reading must cost a write, not this process.
        signal(SIGPIPE, SIG_IGN)
        // Left by an agent that was killed.
        try TrustedFiles.remove(configuration.sessions)
        for directory in configuration.allDirectories { try TrustedFiles.makeDirectories(directory, mode: 0o700) }
        let programs = try Programs.find()
        let cgroups = try CgroupLayout.ofThisHost(instancePrefix: configuration.instancePrefix)
        let limits = try ProcessLimits.ofThisProcess()
        let probe = RuntimeProbe(configuration: configuration, cgroups: cgroups, commands: SystemCommandRunner(), logger: logger)
        let runtime = try await probe.choose()
        let text = HostFiles.containers(configuration, cgroups: cgroups, runtime: runtime, limits: limits)
        try TrustedFiles.replace(configuration.containersFile, with: text)
        try TrustedFiles.replace(configuration.storageFile, with: HostFiles.storage(configuration))
        try TrustedFiles.replace(
            configuration.buildContainersFile,
            with: HostFiles.containers(configuration, cgroups: cgroups, runtime: runtime, limits: limits, forBuilds: true))
        try TrustedFiles.replace(configuration.buildStorageFile, with: HostFiles.storage(configuration, forBuilds: true))
        try HostFiles.markUnshifted(configuration)
        for directory in configuration.passableDirectories where chmod(directory, 0o711) != 0 {
            throw TrustedFiles.failure("change the mode of \(directory)")
        }
        return ContainerHost(
            configuration: configuration, client: PodmanClient(socketPath: configuration.socket, patience: patience), runtimeProgram: runtime,
            cgroups: cgroups, limits: limits, programs: programs, logger: logger)
    }

    /// Keeps Podman's service answering until the task is cancelled, which ends the service; containers go on.
    public func run() async throws {
        try await ContainerService(host: self).run()
    }

    /// Ends all connections to Podman; the last call made on a host.
    public func shutdown() async throws { try await client.shutdown() }

    /// What a build is started with.
    var buildEnvironment: [String: String] {
        environment.merging(
            ["CONTAINERS_CONF": configuration.buildContainersFile, "CONTAINERS_STORAGE_CONF": configuration.buildStorageFile]) { $1 }
    }

    /// What every Podman process of this host is started with.
    var environment: [String: String] {
        var environment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "TMPDIR": configuration.temporary,
            "CONTAINERS_CONF": configuration.containersFile, "CONTAINERS_STORAGE_CONF": configuration.storageFile,
        ]
        // Pulls go by the proxy the host's administrator set.
        for name in ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return environment
    }
}
