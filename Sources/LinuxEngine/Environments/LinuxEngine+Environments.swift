import FoundationEssentials
import KilnModel
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
        try await names.ensure(
            environment: target.id, name: target.name, services: target.services, upstream: network.forwarder,
            namespacePath: network.environmentNamespace(target.id).path)
    }

    /// Once their containers are gone.
    private func removeUnusedNamespaces(_ target: EnvironmentTarget) async throws {
        let wanted = Set(target.services.map(\.addressIndex))
        for index in try await network.inventory().services[target.id] ?? [] where !wanted.contains(index) {
            try await network.removeService(environment: target.id, index: index)
        }
    }

    private func stop(_ target: EnvironmentTarget) async throws -> EnvironmentObservation {
        await health.watch([:], environment: target.id)
        try await network.setServices([], of: target.id)
        try await removeContainers(ofEnvironment: target.id)
        try await removeUnusedNamespaces(target)
        return EnvironmentObservation(
            services: target.services.map {
                ServiceStatus(name: $0.name, phase: .stopped, address: AddressPlan.virtual($0.addressIndex), ports: $0.ports)
            })
    }

    private func run(_ target: EnvironmentTarget) async throws -> EnvironmentObservation {
        let services = Dictionary(uniqueKeysWithValues: target.services.map { ($0.name, $0) })
        let revisions = try services.mapValues { try revision(of: $0, in: target) }
        let plan = EnvironmentPlan(services: target.services, revisions: revisions, observed: try await observe(target), now: Self.now())
        // Before anything is taken away: a service whose new image cannot be had goes on with the old one.
        var failures = try await fetchImages(of: plan.created.compactMap { services[$0] })
        try await removeContainers(plan.removed.filter { failures[$0] == nil }.map { containerName(of: $0, in: target.id) })
        try await removeUnusedNamespaces(target)
        let starts = plan.starts.filter { failures[$0.service] == nil }
        // One after the other, since services may share them.
        for start in starts { try ensureVolumes(of: services[start.service], in: target) }
        let started = try await concurrently(starts) { start -> KilnError? in
            guard let service = services[start.service] else { return nil }
            do {
                try await self.start(service, in: target, revision: revisions[start.service] ?? "", creating: start.creates)
                return nil
            } catch let error as KilnError {
                return error
            }
        }
        for (start, error) in zip(starts, started) { failures[start.service] = error }
        if !plan.isEmpty { observers.notify(ResourceReference(kind: .environment, id: target.id)) }
        try await route(target, services)
        return EnvironmentObservation(services: plan.statuses.map { status in failures[status.name].map { status.failed($0) } ?? status })
    }

    /// Leads the virtual addresses to the containers that run or are started again by themselves, and has the health of those that run watched.
    private func route(_ target: EnvironmentTarget, _ services: [Name: Service]) async throws {
        var routed: [RoutedService] = []
        var checks: [String: Service.Healthcheck] = [:]
        for container in try await observe(target) {
            guard let service = services[container.service], container.isRunning || container.comesBack else { continue }
            routed.append(RoutedService(index: service.addressIndex))
            if container.isRunning, let check = service.healthcheck, !check.command.isEmpty { checks[container.container] = check }
        }
        try await network.setServices(routed, of: target.id)
        await health.watch(checks, environment: target.id)
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
