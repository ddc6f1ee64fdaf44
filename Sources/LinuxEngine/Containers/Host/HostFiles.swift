import FileWork

/// The configuration files of Kiln's Podman, as text. Pure.
enum HostFiles {
    /// What the container engine gets instead of the host's `containers.conf`.
    static func containers(
        _ configuration: ContainerHost.Configuration, cgroups: CgroupLayout, runtime: Runtime, limits: ProcessLimits, forBuilds: Bool = false
    ) -> String {
        """
        # Written by Kiln at every start of its agent.
        [containers]
        base_hosts_file = "none"
        # A cgroup of its own for each monitor, in every hierarchy, is a tenth of what a start takes.
        cgroups = "no-conmon"
        default_ulimits = ["nofile=\(limits.openFiles):\(limits.openFiles)", "nproc=\(limits.processes):\(limits.processes)"]
        default_capabilities = [\(ContainerSpec.defaultCapabilities.map { "\"\($0)\"" }.joined(separator: ", "))]
        log_driver = "k8s-file"
        log_size_max = \(ContainerSpec.logSize)

        [network]
        network_backend = "cni"
        network_config_dir = "\(configuration.networks)"

        [engine]
        cgroup_manager = "\(cgroups.manager)"
        # The default, shared memory, is one segment for all Podmans of a host.
        lock_type = "file"
        events_logger = "file"
        runtime = "\(runtime.name)"
        tmp_dir = "\(forBuilds ? configuration.buildLibpodRun : configuration.libpodRun)"
        # The command that ends a container is given the graph root only and looks for the database below it.
        static_dir = "\(forBuilds ? configuration.buildLibpod : configuration.libpod)"
        volume_path = "\(configuration.volumes)"
        image_copy_tmp_dir = "\(configuration.temporary)"

        [engine.runtimes]
        \(runtime.name) = ["\(runtime.path)"]

        """
    }

    /// What the container engine gets instead of the host's `storage.conf`.
    static func storage(_ configuration: ContainerHost.Configuration, forBuilds: Bool = false) -> String {
        """
        # Written by Kiln at every start of its agent.
        [storage]
        driver = "overlay"
        graphroot = "\(configuration.storageRoot)"
        runroot = "\(forBuilds ? configuration.buildStorageRun : configuration.storageRun)"
        \(forBuilds ? buildOverlay : "")
        """
    }

    /// Every step of a build begins with a copy of all below it that belongs to the build's ids. With this only owners are copied, not contents:
    /// a fifth of the room, and most of the time.
    private static let buildOverlay = """
        [storage.options.overlay]
        mountopt = "metacopy=on"

        """

    /// Tells the storage library, in its own cache of what the kernel can, that builds must not shift ids by idmapped mounts.
    ///
    /// Containers do, which costs nothing. But a layer committed over shifted ones keeps the host's ids (seen with Podman 4.3.1: in the next
    /// step, and in every container of the image, its files belong to nobody).
    static func markUnshifted(_ configuration: ContainerHost.Configuration) throws {
        let folder = "\(configuration.buildStorageRun)/overlay"
        try TrustedFiles.makeDirectories(folder, mode: 0o700)
        try TrustedFiles.remove("\(folder)/idmapped-lower-dir-true")
        try TrustedFiles.replace("\(folder)/idmapped-lower-dir-false", with: "")
    }

    /// Makes the root of a build step's filesystem belong to root inside.
    ///
    /// Podman up to 4.3 gives the top layer of a build the owner of the layer below, which is nobody in the user namespace. The step's folder
    /// is the hook's working directory.
    static func buildHook(firstID: Int, program: String) -> String {
        """
        {"version":"1.0.0","hook":{"path":"\(program)","args":["chown","\(firstID):\(firstID)","mnt/rootfs"]},\
        "when":{"always":true},"stages":["createRuntime"]}
        """
    }
}
