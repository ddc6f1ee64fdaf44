internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct WorkspaceCreate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a workspace and start it.",
        discussion: """
            Returns when a command ran in it.

            Examples:
              kl workspace create hello
              kl ws create api --git https://github.com/team/api.git --cpus 1.5 --memory 4G
              kl ws create test --env STAGE=test --env DEBUG=1 --no-wait
              kl ws create web --package nodejs@20 --package ripgrep
            """
    )

    @Argument(help: "Its name: 1 to 63 of a-z, 0-9 and -.", transform: { try Name($0) }) var name: Name
    @Option(help: ArgumentHelp("A repository to clone into ~/workspaces/NAME.", valueName: "url"), transform: { try RepositoryURL($0) })
    var git: RepositoryURL?
    @Option(help: ArgumentHelp("A container image.", valueName: "ref"), transform: { try ImageReference($0) }) var image: ImageReference?
    @Option(help: ArgumentHelp("CPUs it may use, like 1.5.", valueName: "number"), transform: { try Quantity.milliCPUs($0) }) var cpus: Int?
    @Option(help: ArgumentHelp("Memory it may use, like 4G.", valueName: "size"), transform: { try Quantity.bytes($0) }) var memory: Int?
    @Option(
        name: .customLong("env"), help: ArgumentHelp("A variable of every process in it; may be repeated.", valueName: "KEY=VALUE"),
        transform: { try EnvironmentVariable($0) }
    )
    var variables: [EnvironmentVariable] = []
    @Option(
        name: .customLong("package"), help: ArgumentHelp("A package it is to have; may be repeated.", valueName: "name[@version]"),
        transform: { try PackageWish($0) }
    )
    var packages: [PackageWish] = []
    @Option(help: ArgumentHelp("Where it lives.", valueName: "name"), completion: .machines, transform: { try Name($0) }) var workmachine: Name?
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient(wait) { client in
            let asked = CreateWorkspace(
                name: name, workmachine: workmachine, image: image, milliCPUs: cpus, memory: memory, variables: variables.isEmpty ? nil : variables,
                repository: git, packages: packages.isEmpty ? nil : packages.map(PackageText.init)
            )
            try await context.conclude(
                try await client.create(asked), client, wait, common, pending: "Workspace \(name) is being made.",
                until: { .equipped($0, version: $1) }, done: { _ in "Workspace \(name) is running. Enter it with: kl workspace shell \(name)" })
        }
    }
}
