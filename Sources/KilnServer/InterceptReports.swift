internal import KilnAPI
internal import KilnModel
internal import KilnStore
internal import WorkspaceEngine

extension Backend {
    /// What a workspace intercepts, and what passed through it.
    func interceptReports(of workspace: Workspace, _ call: Call) async throws -> [InterceptReport] {
        var environment: Environment_?
        if let connection = workspace.spec.connection { environment = try await store.resource(Environment_.self, connection) }
        let traffic = await traffic(of: workspace, in: environment, call)
        let callers = try await CallerNames(addresses: Set(traffic.flatMap { $0.callers.map(\.address) }), environment, store)
        let settings = Dictionary(workspace.spec.intercepts.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        return InterceptSummary.all(of: workspace).map { summary in
            guard let intercept = settings[summary.key] else { return InterceptReport(summary, settings: nil, traffic: nil) }
            let index = environment?.spec.services.first { $0.name == summary.service }?.addressIndex
            let passed = traffic.first { $0.serviceIndex == index && $0.port == summary.port }
            return InterceptReport(
                summary, settings: intercept, traffic: passed.map { InterceptReport.Traffic($0, name: callers.name(of:)) }
            )
        }
    }

    /// A report without its numbers is still worth having.
    private func traffic(of workspace: Workspace, in environment: Environment_?, _ call: Call) async -> [InterceptTraffic] {
        guard !workspace.spec.intercepts.isEmpty, let environment, let engine = controller.link.engine else { return [] }
        do {
            return try await engine.traffic(of: try await controller.target(of: workspace, in: environment))
        } catch {
            call.logger.warning("the traffic of a workspace is not known", metadata: ["id": "\(workspace.metadata.id)", "error": "\(error)"])
            return []
        }
    }
}

/// Who has which address, seen from inside one environment.
struct CallerNames {
    private var names: [IPv4Address: String] = [:]

    init(addresses: Set<IPv4Address>, _ environment: Environment_?, _ store: KilnStore) async throws {
        for service in environment?.spec.services ?? [] {
            for replica in service.containers {
                let index = AddressPlan.containerIndex(service.addressIndex, replica: replica.number)
                names[AddressPlan.container(index)] = replica.name(among: service.replicas)
            }
        }
        let indexes = Set(addresses.compactMap(AddressPlan.workspaceIndex(of:)))
        for (index, name) in try await store.workspaceNames(atAddresses: indexes) { names[AddressPlan.workspace(index)] = name.description }
    }

    func name(of address: IPv4Address) -> String { names[address] ?? address.description }
}

extension InterceptReport.Traffic {
    init(_ traffic: InterceptTraffic, name: (IPv4Address) -> String) {
        self.init(
            connections: traffic.connections, bytes: traffic.bytes,
            callers: traffic.callers
                .map { InterceptReport.Caller(name: name($0.address), address: $0.address, connections: $0.connections) }
                .sorted { ($1.connections, $0.name) < ($0.connections, $1.name) }
        )
    }
}
