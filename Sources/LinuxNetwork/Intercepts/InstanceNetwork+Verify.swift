import Glibc
public import KilnModel

extension InstanceNetwork {
    /// Proves that an intercept works: with TCP, by a connection from the service's own namespace that the environment tracks as sent to this
    /// workspace's target, and that its program (or its queue) took; closed at once, and not counted. With UDP nothing is sent, a program could
    /// take it for a request: the rules are read back, and somebody listens.
    /// - Throws: `KilnError` that says what is in the way.
    public func verifyIntercept(
        _ intercept: WorkspaceIntercept, workspace: ResourceID, address: IPv4Address, environment: ResourceID, timeout: Duration = .seconds(2)
    ) async throws {
        let (hub, own) = (environmentNamespace(environment), workspaceNamespace(workspace))
        try await DedicatedThread.run {
            guard hub.exists, own.exists else {
                throw KilnError(.probeFailed, "The workspace \(workspace) or the environment \(environment) has no network.")
            }
            guard intercept.port.transport == .tcp else {
                try verifyRules(intercept, holder: address, hub: hub, own: own)
                return try verifyListener(intercept, own)
            }
            let caller = try prober(for: intercept.serviceIndex, in: environment)
            let probe = try caller.enter {
                try Probe.openHere(to: intercept.key.address, port: intercept.port.number, timeout: timeout, dscp: Table.probe)
            }
            guard probe.result == .open else {
                // Which of the reasons it is; a connection that got there needs none of them.
                try verifyRules(intercept, holder: address, hub: hub, own: own)
                try verifyListener(intercept, own)
                throw KilnError(
                    .probeFailed, "A connection to port \(intercept.port) of the service did not reach port \(intercept.target): \(probe.result).")
            }
            let entry = try Conntrack.entry(
                .tcp, from: probe.local.address, probe.local.port, to: intercept.key.address, intercept.port.number, in: hub)
            guard entry?.replySource == address, entry?.replySourcePort == intercept.target else {
                try verifyRules(intercept, holder: address, hub: hub, own: own)
                let end = entry.map { "\($0.replySource):\($0.replySourcePort ?? 0)" } ?? "nowhere"
                throw KilnError(.probeFailed, "A connection to port \(intercept.port) of the service reached \(end) instead of the workspace.")
            }
        }
    }

    private func verifyRules(_ intercept: WorkspaceIntercept, holder: IPv4Address, hub: NetworkNamespace, own: NetworkNamespace) throws {
        let found = try hub.enter { try Nftables.elementsHere(of: EnvironmentIntercepts.collections, in: Table.inNamespace) }
        let intercepts = EnvironmentIntercepts(found)
        guard intercepts.leases(of: holder).map(\.intercept).contains(intercept), intercepts.active.contains(intercept.key) else {
            throw KilnError(.probeFailed, "The environment does not send port \(intercept.port) to the workspace.")
        }
        let listening = try ListenerTable.read(in: own, [intercept.port.transport])
        var alone = intercepts
        alone.remove { $0.intercept.key != intercept.key }
        let rules = WorkspaceRules(alone, of: holder, listening: listening)
        guard rules.additions(to: try WorkspaceRules.readElements(in: own)).isEmpty else {
            throw KilnError(.probeFailed, "The workspace's rules do not lead port \(intercept.port) of the service to port \(intercept.target).")
        }
    }

    private func verifyListener(_ intercept: WorkspaceIntercept, _ namespace: NetworkNamespace) throws {
        if try ListenerTable.read(in: namespace, [intercept.port.transport]).ports.contains(intercept.targetPort) { return }
        throw KilnError(
            .probeFailed, "Nothing in the workspace listens on port \(intercept.targetPort).",
            hint: "Start a program that listens on 127.0.0.1:\(intercept.target) or on all addresses.")
    }

    /// The namespace to call a service from: its own, which is there also while it is stopped.
    private func prober(for index: Int, in environment: ResourceID) throws -> NetworkNamespace {
        let own = serviceNamespace(environment: environment, index: index)
        if own.exists { return own }
        guard let other = try serviceIndexes(environment).map({ serviceNamespace(environment: environment, index: $0) }).first(where: \.exists) else {
            throw KilnError(.probeFailed, "The environment \(environment) has no service to call from.")
        }
        return other
    }
}
