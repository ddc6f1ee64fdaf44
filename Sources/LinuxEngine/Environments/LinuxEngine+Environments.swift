import Crypto
import FoundationEssentials
public import KilnModel
import LinuxNetwork
public import WorkspaceEngine

extension LinuxEngine {
    public func apply(_ target: EnvironmentTarget) async throws -> EnvironmentObservation {
        try await locks.withLock(target.id) {
            try await self.ensureEnvironmentNetwork(target)
            switch target.state {
            case .stopped: return try await self.stop(target)
            case .running:
                let observation = try await self.run(target)
                try await self.folders.pruneFiles(of: target.id, keeping: target.copies)
                return observation
            }
        }
    }

    public func remove(_ target: EnvironmentTarget, volumes: Bool) async throws {
        try await locks.withLock(target.id) {
            await self.health.watch([:], environment: target.id)
            try await self.removeContainers(ofEnvironment: target.id)
            try self.names.remove(environment: target.id)
            try await self.network.removeEnvironment(target.id)
            try await self.folders.removeFiles(of: target.id)
            if volumes { try await self.folders.removeVolumes(of: target.volumeSet) }
        }
    }

    private func ensureEnvironmentNetwork(_ target: EnvironmentTarget) async throws {
        try await network.ensureEnvironment(target.id, uplink: target.uplink)
        for service in target.services { try await network.ensureService(environment: target.id, index: service.addressIndex) }
        let wanted = Set(target.services.map(\.addressIndex))
        for index in try await network.inventory().services[target.id] ?? [] where !wanted.contains(index) {
            try await network.removeService(environment: target.id, index: index)
        }
        try await names.ensure(
            environment: target.id, name: target.name, services: target.services, upstream: network.forwarder,
            namespacePath: network.environmentNamespace(target.id).path)
    }

    private func stop(_ target: EnvironmentTarget) async throws -> EnvironmentObservation {
        await health.watch([:], environment: target.id)
        try await network.setServices([], of: target.id)
        try await removeContainers(ofEnvironment: target.id)
        return EnvironmentObservation(
            services: target.services.map {
                ServiceStatus(name: $0.name, phase: .stopped, address: AddressPlan.virtual($0.addressIndex), ports: $0.ports)
            })
    }

    private func run(_ target: EnvironmentTarget) async throws -> EnvironmentObservation {
        let services = Dictionary(uniqueKeysWithValues: target.services.map { ($0.name, $0) })
        let revisions = try services.mapValues { try revision(of: $0, in: target) }
        let plan = EnvironmentPlan(services: target.services, revisions: revisions, observed: try await observe(target.id))
        var statuses = plan.statuses
        for action in plan.actions {
            switch action {
            case .remove(let name):
                try await removeContainer(named: containerName(of: name, in: target.id), grace: nil)
            case .create(let name), .start(let name):
                guard let service = services[name] else { continue }
                do {
                    try await start(service, in: target, revision: revisions[name] ?? "", creating: action == .create(name))
                } catch let error as KilnError {
                    statuses = statuses.map { $0.name == name ? $0.failed(error) : $0 }
                }
            }
        }
        if !plan.actions.isEmpty { observers.notify(ResourceReference(kind: .environment, id: target.id)) }
        try await route(target, services)
        return EnvironmentObservation(services: statuses)
    }

    private func start(_ service: Service, in target: EnvironmentTarget, revision: String, creating: Bool) async throws {
        try service.requireSupport()
        let name = containerName(of: service.name, in: target.id)
        if creating {
            _ = try await containers.create(try await serviceContainer(service, in: target, revision: revision))
        } else {
            _ = try files.mounts(for: service, in: target, container: name, firstID: instance.firstUserID(ofRange: target.rangeIndex))
            _ = try mountSysfs(for: name, namespace: network.serviceNamespace(environment: target.id, index: service.addressIndex))
        }
        try await setNetworkSettings(of: service, in: target)
        try await containers.start(name)
        try BootMarks(directory: "\(configuration.runtimeDirectory)/started").set(name)
    }

    /// Leads the virtual addresses to the containers that run, and has their health watched.
    private func route(_ target: EnvironmentTarget, _ services: [Name: Service]) async throws {
        var routed: [RoutedService] = []
        var checks: [String: Service.Healthcheck] = [:]
        for container in try await observe(target.id) where container.isRunning {
            guard let service = services[container.service] else { continue }
            routed.append(RoutedService(index: service.addressIndex))
            if let check = service.healthcheck, !check.command.isEmpty { checks[container.container] = check }
        }
        try await network.setServices(routed, of: target.id)
        await health.watch(checks, environment: target.id)
    }

    private func observe(_ environment: ResourceID) async throws -> [EnvironmentPlan.Observed] {
        let marks = BootMarks(directory: "\(configuration.runtimeDirectory)/started")
        var observed: [EnvironmentPlan.Observed] = []
        for container in try await containers.list(label: "\(Label.id)=\(environment)") {
            guard let service = container.labels[Label.service].flatMap({ try? Name($0) }) else { continue }
            // One that was made and never started has no revision: it is made again.
            observed.append(
                .init(
                    container: container.id, service: service, revision: container.phase == .created ? "" : container.labels[Label.revision] ?? "",
                    isRunning: container.isRunning,
                    startedSinceBoot: marks.isSet(containerName(of: service, in: environment)), exitStatus: container.exitStatus,
                    restarts: try await containers.restarts(of: container.id), health: await health.health(of: container.id)))
        }
        return observed
    }

    private func removeContainers(ofEnvironment id: ResourceID) async throws {
        let marks = BootMarks(directory: "\(configuration.runtimeDirectory)/started")
        let found = try await containers.list(label: "\(Label.id)=\(id)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for container in found {
                group.addTask {
                    try await self.removeContainer(named: container.name, grace: nil)
                    try marks.clear(container.name)
                }
            }
            try await group.waitForAll()
        }
    }

    func containerName(of service: Name, in environment: ResourceID) -> String { "\(instance.prefix)-s-\(environment)-\(service)" }

    /// What a container is made from, in short: another digest means another container.
    private func revision(of service: Service, in target: EnvironmentTarget) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // Of secrets the version, not the value: the digest is a label that others may read.
        let secrets = target.secrets.filter { service.secrets.contains($0.name) }.map { "\($0.name)=\($0.version)" }.sorted()
        // The reader lets no circle through.
        let others = try service.dependencies.filter(\.restart).compactMap { other in
            try target.services.first { $0.name == other.service }.map { try revision(of: $0, in: target) }
        }
        let digest = SHA256.hash(data: try encoder.encode(service) + Data("\(target.rangeIndex) \(secrets) \(others)".utf8))
        return digest.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    public func hasImage(of build: ImageBuild) async throws -> Bool {
        try await containers.hasImage(try build.reference.value)
    }

    public func build(_ build: ImageBuild, context: ByteStream, progress: @escaping @Sendable (String) async -> Void) async throws {
        try await network.ensureBuild()
        let resolver = "\(configuration.runtimeDirectory)/build.resolv.conf"
        try TrustedFiles.replace(resolver, with: "nameserver \(AddressPlan.resolver)\n", mode: 0o644)
        let request = BuildRequest(
            tag: try build.reference.value, containerfile: build.containerfile, arguments: build.arguments, target: build.target,
            userRange: .init(firstID: instance.firstUserID(ofRange: Instance.buildRange)), networkNamespace: network.buildNamespace.path,
            resolver: resolver)
        try await containers.build(request, context: context, progress: progress)
    }
}

extension ServiceStatus {
    fileprivate func failed(_ error: KilnError) -> ServiceStatus {
        var status = self
        status.phase = .failed
        status.reason = Reason(error)
        return status
    }
}
