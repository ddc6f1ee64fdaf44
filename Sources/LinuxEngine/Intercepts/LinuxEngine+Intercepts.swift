import KilnModel
import LinuxNetwork
public import WorkspaceEngine

extension LinuxEngine {
    /// How long requests in flight may take when a workspace gives its traffic back in good order.
    private static let drainLimit = Duration.seconds(10)

    /// Makes the target's intercepts the workspace's.
    func applyIntercepts(_ connection: ConnectionTarget, of target: WorkspaceTarget) async throws -> [InterceptState] {
        if !connection.intercepts.isEmpty { try await keeper.follow(target.id) }
        let states = try await network.setIntercepts(
            connection.intercepts.map { try WorkspaceIntercept($0) }, workspace: target.id, address: target.address,
            environment: connection.environment)
        await keeper.keep(target.id, states)
        return states
    }

    /// Makes the target's intercepts the workspace's, over the link that is there.
    /// - Throws: whatever is wrong, the link among it.
    func switchIntercepts(of target: WorkspaceTarget, _ connection: ConnectionTarget) async throws -> WorkspaceObservation {
        let states = try await applyIntercepts(connection, of: target)
        return WorkspaceObservation(
            state: .running, connected: connection.environment, intercepts: await verify(states, of: target, in: connection.environment))
    }

    /// What is true of each, as a probe through the data path says.
    func verify(_ states: [InterceptState], of target: WorkspaceTarget, in environment: ResourceID) async -> [InterceptObservation] {
        var observations: [InterceptObservation] = []
        for state in states {
            observations.append(
                InterceptObservation(
                    serviceIndex: state.intercept.serviceIndex, port: state.intercept.port,
                    state: state.isOn ? await verify(state.intercept, of: target, in: environment) : .waiting))
        }
        return observations
    }

    private func verify(_ intercept: WorkspaceIntercept, of target: WorkspaceTarget, in environment: ResourceID) async -> InterceptObservation.State {
        do {
            try await network.verifyIntercept(intercept, workspace: target.id, address: target.address, environment: environment)
            return .active
        } catch let error as KilnError {
            return .failing(error)
        } catch {
            return .failing(KilnError(.probeFailed, "The intercept could not be probed: \(error)"))
        }
    }

    /// Gives all traffic back to the originals, and waits for the requests that are being answered: what follows may end the programs.
    func switchBack(_ workspace: ResourceID, address: IPv4Address) async throws {
        await keeper.forget(workspace)
        guard let environment = try await network.connection(of: workspace) else { return }
        let before = try await network.reviewIntercepts(workspace: workspace)
        if before.isEmpty { return }
        _ = try await network.setIntercepts([], workspace: workspace, address: address, environment: environment)
        let ports = Set(before.filter { $0.isOn && $0.intercept.port.transport == .tcp && !$0.intercept.cut }.map(\.intercept.target))
        let clock = ContinuousClock()
        let deadline = clock.now + Self.drainLimit
        // The kernel tells nobody when a request was answered.
        while try await network.busyConnections(workspace: workspace, ports: ports) > 0, clock.now < deadline {
            try await clock.sleep(for: .milliseconds(20))
        }
    }

    public func traffic(of target: WorkspaceTarget) async throws -> [InterceptTraffic] {
        guard let connection = target.connection else { return [] }
        return try await network.traffic(workspace: target.id, address: target.address, environment: connection.environment).map { count in
            InterceptTraffic(
                serviceIndex: count.serviceIndex, port: count.port, connections: count.connections, bytes: count.bytes,
                callers: count.callers.sorted { $0.key < $1.key }.map { .init(address: $0.key, connections: $0.value) })
        }
    }
}

extension WorkspaceIntercept {
    fileprivate init(_ target: InterceptTarget) throws(KilnError) {
        try self.init(
            serviceIndex: target.serviceIndex, port: target.port, target: target.target, cut: target.existing == .cut, fallback: target.fallback)
    }
}
