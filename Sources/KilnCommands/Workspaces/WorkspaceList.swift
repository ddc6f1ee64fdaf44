internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct WorkspaceList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the workspaces.", discussion: "Examples:\n  kl workspace list\n  kl ws ls --json", aliases: ["ls"]
    )

    @Flag(name: .shortAndLong, help: "Print names only.") var quiet = false
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let workspaces = try await client.list(Workspace.self).sorted { $0.metadata.name < $1.metadata.name }
            if common.json { return try context.output.json(workspaces) }
            if quiet { return workspaces.forEach { context.output.line($0.metadata.name.value) } }
            guard !workspaces.isEmpty else { return context.output.note("There are no workspaces. Make one with: kl workspace create NAME") }
            let names = try await ResourceNames(client)
            context.output.table(Self.table(workspaces, names: names, now: context.now()))
        }
    }

    static func table(_ workspaces: [Workspace], names: ResourceNames, now: Double) -> Table {
        let showsOwner = Set(workspaces.map(\.metadata.owner)).count > 1
        var table = Table(header: (showsOwner ? ["OWNER"] : []) + ["NAME", "PHASE", "SINCE", "CONNECTION", "CPUS", "MEMORY", "WORKMACHINE"])
        table.rows = workspaces.map { workspace in
            (showsOwner ? [Table.Cell(workspace.metadata.owner.value)] : []) + [
                Table.Cell(workspace.metadata.name.value), Show.phase(workspace.status.phase.rawValue),
                Table.Cell(Show.since(workspace.status.since, now: now)), Table.Cell(workspace.spec.connection.map { names.environment($0) } ?? "-"),
                Table.Cell(Show.cpus(workspace.spec.limits.milliCPUs)), Table.Cell(Show.size(workspace.spec.limits.memory)),
                Table.Cell(names.workmachine(workspace.spec.workmachine)),
            ]
        }
        return table
    }
}
