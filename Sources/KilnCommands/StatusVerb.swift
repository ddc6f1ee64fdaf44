internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct StatusVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show this workspace, or from outside the server and what runs there.",
        discussion: "Examples:\n  kl status\n  kl st --workspace hello", aliases: ["st"]
    )

    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let inside = try context.access().isInside
        try await context.withClient { client in
            guard inside || workspace.workspace != nil else { return try await overview(client, context) }
            let report = try await client.report(on: workspace.reference(in: context))
            if common.json { return try context.output.json(report) }
            context.output.table(ReportTable.table(report, details: false, now: context.now()))
        }
    }

    private struct Overview: Encodable {
        var url: String
        var session: SessionInfo
        var workmachines: [Workmachine]
        /// Phase → how many.
        var workspaces: [String: Int]
        var environments: [String: Int]
    }

    private func overview(_ client: APIClient, _ context: Context) async throws {
        let overview = Overview(
            url: client.endpoint.description, session: try await client.session(), workmachines: try await client.list(Workmachine.self),
            workspaces: Self.count(try await client.list(Workspace.self).map(\.status.phase.rawValue)),
            environments: Self.count(try await client.list(Environment.self).map(\.status.phase.rawValue))
        )
        guard !common.json else { return try context.output.json(overview) }
        context.output.table(
            .facts([
                ("server", Table.Cell("\(overview.url), version \(overview.session.version)")),
                ("you", Table.Cell("\(overview.session.owner), \(overview.session.role.rawValue)")),
                ("workspaces", Table.Cell(Self.text(overview.workspaces))),
                ("environments", Table.Cell(Self.text(overview.environments))),
            ])
        )
        context.output.line()
        context.output.table(MachineTable.list(overview.workmachines, now: context.now()))
    }

    private static func count(_ phases: [String]) -> [String: Int] {
        phases.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    private static func text(_ counts: [String: Int]) -> String {
        counts.isEmpty ? "none" : counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key.lowercased())" }.joined(separator: ", ")
    }
}
