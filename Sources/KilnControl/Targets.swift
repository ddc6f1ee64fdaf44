internal import KilnModel
internal import WorkspaceEngine

/// What an engine is told of resources. Pure.
extension WorkmachineTarget {
    init(_ workmachine: Workmachine) {
        self.init(id: workmachine.metadata.id, rangeIndex: workmachine.spec.rangeIndex)
    }
}

extension WorkspaceTarget {
    /// - Parameter connection: nil while it is not to be connected.
    init(_ workspace: Workspace, on workmachine: Workmachine, connection: ConnectionTarget?) {
        self.init(
            id: workspace.metadata.id, name: workspace.metadata.name, workmachine: WorkmachineTarget(workmachine),
            state: workspace.spec.desiredState, image: workspace.spec.image, limits: workspace.spec.limits,
            variables: workspace.spec.variables, repository: workspace.spec.repository,
            address: AddressPlan.workspace(workspace.spec.addressIndex), connection: connection
        )
    }
}

extension EnvironmentTarget {
    init(_ environment: Environment, secrets: [SecretValue] = []) {
        self.init(
            id: environment.metadata.id, name: environment.metadata.name, rangeIndex: environment.spec.rangeIndex,
            volumeSet: environment.spec.volumeSet,
            state: environment.spec.desiredState, services: environment.spec.services,
            generations: environment.spec.generations, uplink: AddressPlan.environment(environment.spec.addressIndex), secrets: secrets
        )
    }
}

extension ConnectionTarget {
    /// The probe is the first service that serves and names a TCP port: healthy ones before those that merely run, and none that would only
    /// lead back to the workspace.
    /// - Parameter intercepts: those of services that are not there are left out.
    init(_ environment: Environment, intercepts: [Intercept] = []) {
        let own = Set(intercepts.map(\.key))
        let serving = environment.status.services.filter { $0.phase == .healthy } + environment.status.services.filter { $0.phase == .running }
        let probe = serving.lazy.compactMap { service -> Probe? in
            let port = service.ports.sorted().first { $0.transport == .tcp && !own.contains(Intercept.Key(service.name, $0)) }
            return port.map { Probe(service: service.name, address: service.address, port: $0) }
        }.first
        self.init(
            environment: environment.metadata.id,
            probe: probe ?? serving.first.map { Probe(service: $0.name, address: $0.address, port: nil) },
            intercepts: intercepts.compactMap { intercept in
                environment.addressIndex(of: intercept.service).map { InterceptTarget(intercept, serviceIndex: $0) }
            }
        )
    }
}
