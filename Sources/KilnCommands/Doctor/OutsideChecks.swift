internal import KilnAPI
internal import KilnModel

/// What can be asked from outside workspaces: kilnd itself, the workmachines, and everything that failed.
enum OutsideChecks {
    static func run(in context: Context) async throws -> [Check] {
        try await context.withClient { client in
            try await client.checks().map(Check.init) + machines(client) + failed(Workspace.self, client) + failed(Environment.self, client)
        }
    }

    private static func machines(_ client: APIClient) async throws -> [Check] {
        let machines = try await client.list(Workmachine.self)
        guard !machines.isEmpty else {
            return [Check(name: "workmachines", ok: false, detail: "There are none.", mend: "kl machine create local")]
        }
        return machines.map { machine in
            let engine = machine.status.engine.map { ", \($0.engine), \($0.runtime), kernel \($0.kernel)" } ?? ""
            return Check(
                name: "workmachine \(machine.metadata.name)", ok: machine.status.phase == .ready,
                detail: (machine.status.reason?.message ?? machine.status.phase.rawValue.lowercased()) + engine, mend: machine.status.reason?.hint
            )
        }
    }

    /// One line for each that is not well; one for all when all are.
    private static func failed<Item: ShownResource>(_ type: Item.Type, _ client: APIClient) async throws -> [Check] {
        let items = try await client.list(Item.self)
        let ill = items.filter { ["Failed", "Degraded"].contains($0.phaseText) }
        guard !ill.isEmpty else { return [Check(name: "\(Item.noun)s", ok: true, detail: "\(items.count), none failed")] }
        return ill.map { item in
            Check(
                name: item.title, ok: false, detail: item.reason?.message ?? item.phaseText.lowercased(),
                mend: item.reason?.hint ?? "\(Item.showCommand) \(item.metadata.name)")
        }
    }
}
