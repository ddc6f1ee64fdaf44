internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct PackageAdd: Verb {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Put packages into a workspace's PATH.",
        discussion: """
            Returns when their programs are there, in every shell that is open. nodejs@20 is the newest 20.x, and updates stay within it. What \
            cannot be had is reported, and the others are added all the same.

            Examples:
              kl pkg add jq
              kl p add nodejs@20 ripgrep --workspace hello
            """,
        aliases: ["install"]
    )

    @Argument(help: ArgumentHelp("What to add.", valueName: "name[@version]"), transform: { try PackageWish($0) }) var packages: [PackageWish]
    @Option(help: ArgumentHelp("Where it comes from; else the first source that has it.", valueName: "name"), transform: { try Name($0) })
    var source: Name?
    @Flag(help: "Add all of them or none.") var atomic = false
    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient { client in
            let answer = try await client.addPackages(AddPackages(packages, source: source, atomic: atomic ? true : nil), to: reference)
            try await context.conclude(answer, client, wait, common)
        }
    }
}

struct PackageRemove: Verb {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Take packages out of a workspace's PATH.",
        discussion: "Examples:\n  kl pkg remove jq\n  kl p rm jq ripgrep --workspace hello", aliases: ["rm"]
    )

    @Argument(help: "What to remove.", completion: .installedPackages, transform: { try PackageName($0) }) var packages: [PackageName]
    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient { client in
            try await context.conclude(try await client.removePackages(RemovePackages(packages), from: reference), client, wait, common)
        }
    }
}
