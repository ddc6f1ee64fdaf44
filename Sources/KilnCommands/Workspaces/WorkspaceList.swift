internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct WorkspaceList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the workspaces.", discussion: "Examples:\n  kl workspace list\n  kl ws ls --json", aliases: ["ls"]
    )

    @OptionGroup var options: ListOptions<Workspace.Phase>
    @OptionGroup var place: WorkmachineOption
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.list(Workspace.self, options, on: place.workmachine, common, hint: "Make one with: kl workspace create NAME") {
            workspaces, client in
            Self.table(workspaces, names: try await ResourceNames(client), now: context.now())
        }
    }

    static func table(_ workspaces: [Workspace], names: ResourceNames, now: Timestamp) -> Table {
        Table(of: workspaces, header: ["NAME", "PHASE", "SINCE", "CONNECTION", "CPUS", "MEMORY", "WORKMACHINE"]) { workspace in
            [
                Table.Cell(workspace.metadata.name.value), Show.phase(workspace.phaseText),
                Table.Cell(Show.since(workspace.status.since, now: now)), Table.Cell(workspace.spec.connection.map { names.environment($0) } ?? "-"),
                Table.Cell(Show.cpus(workspace.spec.limits.milliCPUs)), Table.Cell(Show.size(workspace.spec.limits.memory)),
                Table.Cell(names.workmachine(workspace.spec.workmachine)),
            ]
        }
    }
}
