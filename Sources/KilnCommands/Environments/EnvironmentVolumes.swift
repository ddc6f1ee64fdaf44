internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentVolumesGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volumes", abstract: "Volumes that deleted environments left.", subcommands: [VolumesList.self, VolumesDelete.self],
        defaultSubcommand: VolumesList.self
    )
}

struct VolumesList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the deleted environments whose volumes are kept.",
        discussion: "The next environment of such a name finds them again.\n\nExample:\n  kl env volumes", aliases: ["ls"]
    )

    @Option(help: ArgumentHelp("Whose.", valueName: "name"), transform: { try Name($0) }) var owner: Name?
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let kept = try await client.keptVolumes(of: owner)
            if common.json { return try context.output.json(kept) }
            guard !kept.isEmpty else { return context.output.note("No volumes are kept of environments that are gone.") }
            var table = Table(header: ["ENVIRONMENT"])
            table.rows = kept.map { [Table.Cell($0.environment.value)] }
            context.output.table(table)
        }
    }
}

struct VolumesDelete: Verb {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete the volumes that a deleted environment left.", discussion: "Example:\n  kl env volumes delete shop",
        aliases: ["rm"]
    )

    @Argument(help: "The environment that had them: [owner/]name.", transform: { try QualifiedName($0) }) var name: QualifiedName
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try context.checkCanAsk(common)
        try context.confirm("Delete the volumes that the environment \(name) left, and all data in them", common)
        try await context.withClient { client in
            try await client.deleteVolumes(of: name)
            try context.finish(["deleted": name.description], json: common.json, "The volumes of \(name) are deleted.")
        }
    }
}
