internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct PackageRollback: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Go back to an earlier list of packages.",
        discussion: """
            Without a number to the one before; doing so again goes further back. A rollback is a new generation, so nothing is lost by it.

            Examples:
              kl pkg rollback
              kl p rollback 3 --workspace hello
            """
    )

    @Argument(help: "The generation, as in kl pkg history; 0 is the empty list.") var generation: Int?
    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient { client in
            try await context.conclude(
                try await client.rollBackPackages(RollBackPackages(to: generation), of: reference), client, wait, common)
        }
    }
}

struct PackageHistory: Verb {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "List the changes of a workspace's packages.", discussion: "Example:\n  kl pkg history --workspace hello"
    )

    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient { client in
            let history = try await client.packageHistory(of: reference)
            if common.json { return try context.output.json(history) }
            guard !history.isEmpty else { return context.output.note("Nothing has changed yet. Begin with: kl pkg add NAME") }
            let now = context.now()
            var table = Table(header: ["GENERATION", "AGO", "WHAT", "CHANGES"])
            table.rows = history.enumerated().map { place, generation in
                [
                    Table.Cell("\(generation.number)", place < PackageGeneration.keptCount ? .plain : .faint),
                    Table.Cell(Show.since(generation.createdAt, now: now)), what(generation),
                    Table.Cell(generation.changes.map(\.description).joined(separator: ", ")),
                ]
            }
            context.output.table(table)
        }
    }

    private func what(_ generation: PackageGeneration) -> Table.Cell {
        var text = generation.deed.rawValue
        if let restored = generation.restored { text += " to \(restored)" }
        return generation.didFail ? Table.Cell("\(text), failed", .bad) : Table.Cell(text)
    }
}
