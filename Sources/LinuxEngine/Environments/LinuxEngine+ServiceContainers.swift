import Crypto
import FoundationEssentials
import KilnModel
import LinuxNetwork
import WorkspaceEngine

/// The containers of an environment's services.
extension LinuxEngine {
    /// The first one's is the service's; a dot, which no name has, tells the others from the service `api-2`.
    func containerName(of replica: Replica, in environment: ResourceID) -> String {
        "\(instance.prefix)-s-\(environment)-\(replica.service)" + (replica.number > 1 ? ".\(replica.number)" : "")
    }

    var bootMarks: BootMarks { BootMarks(directory: "\(configuration.runtimeDirectory)/started") }

    /// What a container is made from, in short: another digest means another container.
    func revision(of service: Service, in target: EnvironmentTarget) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let used = service.secrets
        // Versions, not values: a digest of a value would be something to try values against.
        let secrets = target.secrets.filter { used.contains($0.name) }.map { "\($0.name) \($0.version)" }.sorted()
        // The reader lets no circle through.
        let others = try service.dependencies.filter(\.restart).compactMap { other in
            try target.services.first { $0.name == other.service }.map { try revision(of: $0, in: target) }
        }
        let beside = "\(target.rangeIndex) \(target.generations[service.name] ?? 0) \(secrets) \(others)"
        let digest = SHA256.hash(data: try encoder.encode(service.containerPart) + Data(beside.utf8))
        return digest.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Last lines shown of a service that ended.
    private static let shownLines = 3

    /// What there is of an environment. The restart policies and health checks are those wanted now.
    func observe(_ target: EnvironmentTarget) async throws -> [EnvironmentPlan.Observed] {
        let environment = target.id
        let services = Dictionary(target.services.map { ($0.name, $0) }) { first, _ in first }
        var observed: [EnvironmentPlan.Observed] = []
        for container in try await containers.list(label: "\(Label.id)=\(environment)") {
            guard let service = container.labels[Label.service].flatMap({ try? Name($0) }) else { continue }
            let policy = services[service]?.restart ?? .no
            var record = try restartRecords.record(of: container.name) ?? RestartRecord(policy: policy)
            if record.policy != policy {
                record.policy = policy
                try restartRecords.set(record, of: container.name)
                restarts.add(container.name)
            }
            let hasEnded = container.phase == .exited
            let run = hasEnded || record.attempts >= RestartRecord.loop ? try await containers.lastRun(of: container.id) : nil
            let lines = hasEnded ? try await lastLines(of: container.id, count: Self.shownLines) : []
            let imageCheck = container.labels[Label.healthcheck].flatMap(Service.Healthcheck.init(label:))
            // One that was made and never started has no revision: it is made again.
            observed.append(
                .init(
                    container: container.id, service: service, number: container.labels[Label.replica].flatMap { Int($0) } ?? 1,
                    revision: container.phase == .created ? "" : container.labels[Label.revision] ?? "", isRunning: container.isRunning,
                    startedSinceBoot: try bootMarks.isSet(container.name), exitStatus: container.exitStatus, record: record, run: run,
                    lastLines: lines, obstacle: hasEnded ? try obstacle(of: container, saying: lines) : nil,
                    health: await health.health(of: container.id, by: services[service]?.healthcheck(ofImage: imageCheck)),
                    imageCheck: imageCheck))
        }
        return observed
    }

    /// Why a container's program did not begin. Its init says that in its last line, but not which program.
    private func obstacle(of container: ContainerState, saying lines: [String]) throws -> String? {
        guard let last = lines.last, last.contains("failed to exec pid1") else { return nil }
        let arguments = try ProcessDocument.ofContainer(container.id, storageRoot: containers.configuration.storageRoot).args
        guard let program = arguments.firstIndex(of: "--").flatMap({ arguments.dropFirst($0 + 1).first?.printable(limit: 200) }) else { return nil }
        return last.contains("No such file") ? "its program \(program) is not in its image" : "its program \(program) cannot be run"
    }

    /// Starts one of a service's containers.
    func start(_ service: Service, number: Int, in target: EnvironmentTarget, revision: String, creating: Bool) async throws {
        let name = containerName(of: Replica(service.name, number), in: target.id)
        let namespace = network.serviceNamespace(
            environment: target.id, index: AddressPlan.containerIndex(service.addressIndex, replica: number))
        if creating {
            _ = try await containers.create(
                try await serviceContainer(service, number: number, in: target, revision: revision, namespace: namespace))
            try await seedVolumes(of: service, in: target, from: name)
        } else {
            _ = try files.mounts(for: service, in: target, container: name, firstID: instance.firstUserID(ofRange: target.rangeIndex))
            _ = try mountSysfs(for: name, namespace: namespace)
        }
        try restartRecords.set(RestartRecord(policy: service.restart), of: name)
        try await setNetworkSettings(of: service, in: namespace)
        try await containers.start(name)
        try bootMarks.set(name)
    }

    /// Gives volumes that nobody had yet what the image has at their places, as people expect of Compose: a folder that its program may write,
    /// or modules that were installed when it was built. Services that share one take turns; whose start comes first decides.
    private func seedVolumes(of service: Service, in target: EnvironmentTarget, from container: String) async throws {
        let fresh = service.volumes.filter { folders.isFresh($0.volume, of: target.volumeSet) }
        if fresh.isEmpty { return }
        let firstID = instance.firstUserID(ofRange: target.rangeIndex)
        try await volumeLocks.withLock(target.volumeSet) {
            for mount in fresh where self.folders.isFresh(mount.volume, of: target.volumeSet) {
                if mount.isEmpty != true {
                    let folder = try self.folders.ensureVolume(mount.volume, of: target.volumeSet, firstID: firstID)
                    try await self.containers.copyFolder(
                        try ContainerPath(mount.path), of: container, to: folder, .init(firstID: firstID))
                }
                try self.folders.setUsed(mount.volume, of: target.volumeSet)
            }
        }
    }

    /// Has the images at hand that services are to be made from.
    /// - Returns: the services whose image cannot be had, and why.
    func fetchImages(of services: [Service]) async throws -> [Name: KilnError] {
        var failures: [Name: KilnError] = [:]
        for service in services {
            guard case .reference(let reference) = service.image else { continue }
            do {
                _ = try await containers.pull(reference)
            } catch let error as KilnError {
                failures[service.name] = error
            }
        }
        return failures
    }

    func removeContainers(ofEnvironment id: ResourceID) async throws {
        try await removeContainers(containers.list(label: "\(Label.id)=\(id)").map(\.name))
    }

    func removeContainers(_ names: [String]) async throws {
        _ = try await concurrently(names) { name in
            try await self.removeContainer(named: name, grace: nil)
            try self.bootMarks.clear(name)
        }
    }
}
