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
        for index in target.containerIndexes.sorted() { try await network.ensureService(environment: target.id, index: index) }
        try await names.ensure(
            environment: target.id, name: target.name, services: target.services, upstream: network.forwarder,
            namespacePath: network.environmentNamespace(target.id).path)
    }

    /// Once their containers are gone.
    private func removeUnusedNamespaces(_ target: EnvironmentTarget) async throws {
        let wanted = target.containerIndexes
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
        let observed = try await observe(target)
        let plan = EnvironmentPlan(services: target.services, revisions: revisions, observed: observed, now: Self.now())
        // Before anything is taken away: a service whose new image cannot be had goes on with the old one.
        var failures = try await fetchImages(of: target.services.filter { plan.created.contains($0.name) })
        let leaving = Set(plan.removed.filter { failures[$0.service] == nil })
        let starts = plan.starts.filter { failures[$0.service] == nil }
        if !leaving.isEmpty || !starts.isEmpty {
            let starting = Set(starts.map { Replica($0.service, $0.number) })
            try await network.setServices(ServiceRouting.routes(to: target.services, observed, leaving: leaving, starting: starting), of: target.id)
        }
        if !leaving.isEmpty { try await removeContainers(leaving.map { containerName(of: $0, in: target.id) }) }
        try await removeUnusedNamespaces(target)
        let started = try await concurrently(starts) { start -> KilnError? in
            guard let service = services[start.service] else { return nil }
            do {
                try await self.start(
                    service, number: start.number, in: target, revision: revisions[start.service] ?? "", creating: start.creates)
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

    /// Leads the virtual addresses to the containers that can take connections, and has the health of those that run watched.
    private func route(_ target: EnvironmentTarget, _ services: [Name: Service]) async throws {
        let observed = try await observe(target)
        var checks: [String: Service.Healthcheck] = [:]
        for container in observed where container.isRunning {
            checks[container.container] = services[container.service]?.healthcheck(ofImage: container.imageCheck)
        }
        try await network.setServices(ServiceRouting.routes(to: target.services, observed), of: target.id)
        await health.watch(checks, environment: target.id)
    }
}

extension EnvironmentTarget {
    /// The containers that have a namespace, as `AddressPlan.containerIndex` numbers them. A service's first always has one: callers are refused
    /// by it while the service has no container, and intercepts are probed from it.
    var containerIndexes: Set<Int> {
        Set(services.flatMap { service in (1...max(1, service.replicas)).map { AddressPlan.containerIndex(service.addressIndex, replica: $0) } })
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
