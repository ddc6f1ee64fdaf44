extension ContainerHost {
    /// Where one Podman of Kiln keeps its things, and what it is called.
    public struct Configuration: Sendable, Hashable {
        /// Images, container filesystems and Podman's database; survives a reboot.
        public var stateDirectory: String
        /// Sockets, locks and mounts; empty after a reboot.
        public var runtimeDirectory: String
        /// `kiln`, or `kiln-NAME`: names the cgroup of all containers.
        public var instancePrefix: String

        public init(stateDirectory: String, runtimeDirectory: String, instancePrefix: String) {
            self.stateDirectory = stateDirectory
            self.runtimeDirectory = runtimeDirectory
            self.instancePrefix = instancePrefix
        }

        var storageRoot: String { "\(stateDirectory)/storage" }
        var volumes: String { "\(stateDirectory)/volumes" }
        /// Podman's database.
        var libpod: String { "\(storageRoot)/libpod" }
        /// Build contexts and layers under way.
        var temporary: String { "\(stateDirectory)/tmp" }
        /// Deliberately without a network in it: Kiln makes all networks itself.
        var networks: String { "\(stateDirectory)/networks" }
        /// One file a container: what `StagedMounts` mounted for it.
        var mountPlans: String { "\(stateDirectory)/mounts" }
        /// Working directory of builds, so that a relative path in one names nothing of the host.
        var empty: String { "\(stateDirectory)/empty" }
        var containersFile: String { "\(stateDirectory)/containers.conf" }
        var storageFile: String { "\(stateDirectory)/storage.conf" }

        /// Builds share the images and nothing else: see `HostFiles.markUnshifted`.
        var buildLibpod: String { "\(stateDirectory)/build" }
        var buildContainersFile: String { "\(stateDirectory)/build-containers.conf" }
        var buildStorageFile: String { "\(stateDirectory)/build-storage.conf" }
        var buildStorageRun: String { "\(runtimeDirectory)/build-storage" }
        var buildLibpodRun: String { "\(runtimeDirectory)/build" }

        var storageRun: String { "\(runtimeDirectory)/storage" }
        var libpodRun: String { "\(runtimeDirectory)/libpod" }
        var socket: String { "\(runtimeDirectory)/podman.sock" }
        var serviceLog: String { "\(runtimeDirectory)/service.log" }
        /// One folder a program run in a container.
        var sessions: String { "\(runtimeDirectory)/exec" }
        var sysfs: String { "\(runtimeDirectory)/sysfs" }
        var mounts: String { "\(runtimeDirectory)/mounts" }
        var cgroups: String { "\(runtimeDirectory)/cgroup" }
        var hooks: String { "\(runtimeDirectory)/hooks" }
        var probe: String { "\(runtimeDirectory)/probe" }
        /// Read-only mounts of programs of the host's.
        var programs: String { "\(runtimeDirectory)/programs" }

        var allDirectories: [String] {
            [
                stateDirectory, storageRoot, volumes, libpod, temporary, networks, empty, runtimeDirectory, storageRun, libpodRun, sessions, sysfs,
                mounts, mountPlans, cgroups, hooks, programs, buildLibpod, buildStorageRun, buildLibpodRun,
            ]
        }

        /// A build step's root filesystem lies below these, and its root, who is nobody on the host, must get through to it.
        var passableDirectories: [String] { [stateDirectory, temporary] }
    }
}
