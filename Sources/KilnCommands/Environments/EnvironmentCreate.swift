internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentCreate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an environment from a Compose file and start it.",
        discussion: """
            Returns when all services are well. ${VARIABLES} in the file come from this process, then from a .env beside the file.

            Examples:
              kl env create shop --file compose.yaml
              kl env create shop --file compose.yaml --file compose.dev.yaml --profile debug
              TAG=1.2 kl e create shop
            """
    )

    @Argument(help: "Its name: 1 to 63 of a-z, 0-9 and -.", transform: { try Name($0) }) var name: Name
    @OptionGroup var compose: ComposeOptions
    @Option(
        help: ArgumentHelp("A folder that kl env export made, instead of Compose files.", valueName: "folder"), completion: .directory)
    var from: String?
    @Option(help: ArgumentHelp("Where it lives.", valueName: "name"), completion: .machines, transform: { try Name($0) }) var workmachine: Name?
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard from == nil || compose.file.isEmpty && compose.profile.isEmpty else {
            throw ValidationError("--from takes the place of --file and --profile.")
        }
    }

    func run(in context: Context) async throws {
        try await context.withClient(wait) { client in
            let asked = try await request(client, context)
            try await context.conclude(
                try await client.create(asked), client, wait, common, pending: "Environment \(name) is being made.",
                until: { .running($0, version: $1) },
                done: { _ in "Environment \(name) is running. Connect a workspace with: kl env connect \(name)" })
        }
    }

    private func request(_ client: APIClient, _ context: Context) async throws -> CreateEnvironment {
        guard let from else {
            return CreateEnvironment(name: name, workmachine: workmachine, bundle: try await compose.bundle(client, context))
        }
        let folder = ExportFolder(path: from)
        let export = try folder.read()
        try await folder.upload(export, client)
        for secret in export.missingSecrets {
            context.output.note(
                "warning: The value of the secret \(secret) is not in \(from.printable()); set it: kl env secret set \(name) \(secret)")
        }
        return CreateEnvironment(name: name, workmachine: workmachine, bundle: export.bundle, settings: export.settings)
    }
}
