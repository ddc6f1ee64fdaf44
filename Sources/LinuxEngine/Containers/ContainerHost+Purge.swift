import CommandRunner
import FileWork
import FoundationEssentials
import Glibc
import KilnModel

extension ContainerHost {
    /// Removes every trace: containers, images, the service, mounts, cgroups, folders. Needs nothing to run, and may be repeated. `run()` must
    /// not be going.
    public static func purge(_ configuration: Configuration) async throws {
        if let pid = UnixSocket.listener(at: configuration.socket), let service = ChildProcess.attach(to: pid) {
            await service.end(grace: .seconds(5))
            service.close()
        }
        try await removeContainers(configuration)
        try await removeCgroups(configuration)
        for folder in [configuration.runtimeDirectory, configuration.stateDirectory] {
            for point in try MountTable.points(within: folder) { try MountTable.unmount(point) }
        }
        try TrustedFiles.remove(configuration.runtimeDirectory)
        try TrustedFiles.remove(configuration.stateDirectory)
    }

    private static func removeContainers(_ configuration: Configuration) async throws {
        let manager = FileManager.default
        guard manager.fileExists(atPath: configuration.containersFile), manager.fileExists(atPath: configuration.libpod) else { return }
        // What was mounted by an agent in another mount namespace is an empty file here.
        for runtime in (try? manager.contentsOfDirectory(atPath: configuration.programs)) ?? [] { _ = try configuration.holdReadOnly(runtime) }
        let environment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
            "CONTAINERS_CONF": configuration.containersFile, "CONTAINERS_STORAGE_CONF": configuration.storageFile,
        ]
        let command = Command(
            try Programs.find().podman, ["rm", "--all", "--force", "--time", "0", "--volumes"], environment: environment, timeout: .seconds(300))
        // A container that is just ending is cleaned up by a process of its own, and the two get in each other's way (“device or resource busy”).
        for attempt in 1...3 {
            do {
                try await SystemCommandRunner().succeed(command)
                return
            } catch {
                guard attempt == 3 else {
                    try await Task.sleep(for: .seconds(1))
                    continue
                }
                throw KilnError(.engineFailed, "The containers of \(configuration.instancePrefix) could not be removed: \(error)")
            }
        }
    }

    /// Monitors and Podman's own clean-up end a moment after their containers, and v1 tells nobody when a cgroup becomes empty.
    private static func removeCgroups(_ configuration: Configuration) async throws {
        let folders = try CgroupLayout.ofThisHost(instancePrefix: configuration.instancePrefix).parentDirectories
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            for folder in folders { removeCgroup(folder) }
            let left = folders.filter { access($0, F_OK) == 0 }
            guard let first = left.first else { return }
            guard ContinuousClock.now < deadline else {
                throw KilnError(.engineFailed, "Processes in the cgroup \(first) do not end.", hint: "See \(first)/cgroup.procs.")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The kernel frees a cgroup only when its folder and those below are removed, innermost first; its files go by themselves.
    private static func removeCgroup(_ folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names {
            var status = stat()
            if lstat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFDIR { removeCgroup("\(folder)/\(name)") }
        }
        rmdir(folder)
    }
}
