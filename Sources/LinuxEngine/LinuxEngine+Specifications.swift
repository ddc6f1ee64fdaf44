import FileWork
import KilnModel
import LinuxNetwork
import WorkspaceEngine

extension LinuxEngine {
    /// The program that is process 1 of a workspace: it reaps what is orphaned and does nothing else.
    private static let initProgram = "/usr/bin/catatonit"

    /// - Parameter socketDirectory: holds `kl.sock`.
    func workspaceContainer(_ target: WorkspaceTarget, image: String, socketDirectory: String) throws -> ContainerSpec {
        let name = containerName(of: target.id)
        // A line for its own name would hide a service that is called like it. Kiln's image finds its name without one; sudo of others would not.
        let knowsItself = target.image.value == Self.baseImage
        var spec = try container(
            named: name, image: image, hostname: target.name.value,
            address: knowsItself ? nil : IPv4Address(127, 0, 1, 1), range: target.workmachine.rangeIndex,
            namespace: network.workspaceNamespace(target.id))
        spec.labels = labels(.workspace, target.id)
        spec.variables = target.variables
        spec.entrypoint = ["/opt/kiln/init", "-P"]
        spec.command = []
        spec.hasInit = false
        spec.limits = ServiceLimits(target.limits)
        spec.mounts += [
            .init(source: folders.home(of: target.workmachine.id), destination: WorkspaceLayout.home),
            .init(source: socketDirectory, destination: "/run/kiln", readOnly: true),
            .init(source: configuration.toolsDirectory, destination: "/opt/kiln/bin", readOnly: true),
            .init(source: Self.initProgram, destination: "/opt/kiln/init", readOnly: true),
        ]
        spec.mounts += packageMounts.mounts(view: try packageHost.prepareView(of: target.id))
        // sudo believes no file but root's.
        let sudoers = "\(configuration.runtimeDirectory)/etc/\(name)/sudoers"
        try TrustedFiles.update(sudoers, with: PackageMounts.sudoersSettings, mode: 0o440, owner: spec.userRange.firstID)
        spec.mounts.append(.init(source: sudoers, destination: "/etc/sudoers.d/zz-kiln-packages", readOnly: true))
        return spec
    }

    /// - Parameter number: which of the service's containers, from 1.
    func serviceContainer(
        _ service: Service, number: Int, in target: EnvironmentTarget, revision: String, namespace: NetworkNamespace
    ) async throws -> ContainerSpec {
        let image =
            switch service.image {
            case .reference(let reference): reference
            case .build(let build): try build.reference
            }
        let replica = Replica(service.name, number)
        let name = try await containers.pull(image, policy: service.settings.pullPolicy ?? .missing)
        var spec = try container(
            named: containerName(of: replica, in: target.id), image: name, hostname: service.settings.hostname?.value ?? replica.hostname,
            address: AddressPlan.container(AddressPlan.containerIndex(service.addressIndex, replica: number)), range: target.rangeIndex,
            namespace: namespace, hosts: service.settings.hosts)
        spec.labels = service.settings.labels.merging(labels(.environment, target.id)) { _, ours in ours }
        spec.labels[Label.service] = service.name.value
        spec.labels[Label.replica] = "\(number)"
        // Also when there is none: an image may have labels of its own.
        spec.labels[Label.healthcheck] = try await containers.healthcheck(ofImage: name)?.label ?? ""
        spec.labels[Label.revision] = revision
        spec.variables = try service.variables(in: target)
        spec.entrypoint = service.entrypoint
        spec.command = service.command
        for mount in service.volumes {
            let source = try folders.ensureVolume(mount.volume, of: target.volumeSet, firstID: instance.firstUserID(ofRange: target.rangeIndex))
            spec.mounts.append(.init(source: source, destination: mount.path, readOnly: mount.readOnly))
        }
        spec.mounts += try files.mounts(for: service, in: target, container: spec.name, firstID: spec.userRange.firstID)
        spec.apply(service.settings)
        return spec
    }

    /// What all containers of ours have: their namespaces, and `/etc/hosts` and `/etc/resolv.conf` of Kiln's own.
    /// - Parameter address: what its hostname means inside; nil: whatever the resolver says.
    private func container(
        named name: String, image: String, hostname: String, address: IPv4Address?, range: Int, namespace: NetworkNamespace, hosts: [HostEntry] = []
    ) throws -> ContainerSpec {
        let firstID = instance.firstUserID(ofRange: range)
        var spec = ContainerSpec(
            name: name, image: image, hostname: hostname, userRange: .init(firstID: firstID), networkNamespace: namespace.path,
            sysfs: try mountSysfs(for: name, namespace: namespace))
        let files = "\(configuration.runtimeDirectory)/etc/\(name)"
        try TrustedFiles.makeDirectory("\(configuration.runtimeDirectory)/etc", mode: 0o700)
        try TrustedFiles.makeDirectory(files, mode: 0o700)
        // `localhost` is 127.0.0.1 only: a program that would listen on ::1 instead could not be reached by a translated connection.
        // Root inside may edit both: they are its own, and nothing on the host reads them back.
        let lines = (address.map { ["\($0) \(hostname)"] } ?? []) + hosts.map { "\($0.address) \($0.name)" }
        let text = (["127.0.0.1 localhost"] + lines).map { "\($0)\n" }.joined()
        try TrustedFiles.update("\(files)/hosts", with: text, mode: 0o644, owner: firstID)
        try TrustedFiles.update(
            "\(files)/resolv.conf", with: "nameserver \(AddressPlan.resolver)\noptions timeout:2 attempts:2\n", mode: 0o644, owner: firstID)
        spec.mounts = [
            .init(source: "\(files)/hosts", destination: "/etc/hosts"),
            .init(source: "\(files)/resolv.conf", destination: "/etc/resolv.conf"),
        ]
        return spec
    }

    private func labels(_ kind: ResourceKind, _ id: ResourceID) -> [String: String] {
        [Label.instance: instance.prefix, Label.kind: kind.rawValue, Label.id: id.value]
    }

    /// Removes a container and what was made for it beside.
    /// - Parameter grace: seconds before SIGKILL; nil: those that the container was made with.
    func removeContainer(named name: String, grace: Int?) async throws {
        try await containers.stop(name, timeout: grace)
        try await containers.remove(name)
        try containers.sysfs(name).unmount()
        try TrustedFiles.removeDirectory("\(configuration.runtimeDirectory)/etc/\(name)")
        try files.remove(of: name)
    }

    /// A view of the namespace's interfaces for `/sys`. After a reboot the namespace is a new one, and so must be the view of it.
    func mountSysfs(for name: String, namespace: NetworkNamespace) throws -> String {
        let mount = try containers.sysfs(name)
        try mount.unmount()
        try mount.mount(networkNamespace: namespace.path)
        return mount.path
    }
}

extension Replica {
    /// What the container calls itself. The first one has the service's name whether others come or not: their number must not make it anew.
    fileprivate var hostname: String { number > 1 ? ((try? Name(description)) ?? service).value : service.value }
}
