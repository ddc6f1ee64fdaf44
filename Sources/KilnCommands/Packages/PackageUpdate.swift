internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct PackageUpdate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Take the newest versions of packages.",
        discussion: """
            Of all, or of those named. Each stays within the version it was added with (nodejs@20 stays 20.x), and with its source.

            Examples:
              kl pkg update --dry-run
              kl p update nodejs
            """,
        aliases: ["upgrade"]
    )

    @Argument(help: "What to update; all when none is named.", completion: .installedPackages, transform: { try PackageName($0) })
    var packages: [PackageName] = []
    @Flag(name: .customLong("dry-run"), help: "Only say what would change.") var dryRun = false
    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient { client in
            let request = UpdatePackages(packages.isEmpty ? nil : packages, dryRun: dryRun ? true : nil)
            let answer = try await client.updatePackages(request, of: reference)
            guard dryRun else { return try await context.conclude(answer, client, wait, common) }
            if common.json { return try context.output.json(answer) }
            answer.refused.forEach { context.output.note($0.problem.error) }
            guard !answer.changes.isEmpty else { return context.output.line("Everything is up to date.") }
            answer.changes.forEach { context.output.line($0.description) }
            if let download = answer.download, download > 0 { context.output.line("To be fetched: \(Show.size(download))") }
        }
    }
}
