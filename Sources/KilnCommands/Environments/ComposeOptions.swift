internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

/// What every verb takes that makes an environment of a Compose file.
struct ComposeOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: ArgumentHelp("The Compose file; else compose.yaml here.", valueName: "path"), completion: .file())
    var file: String?
    @Option(help: ArgumentHelp("Where it lives.", valueName: "name"), completion: .machines, transform: { try Name($0) }) var workmachine: Name?

    /// Reads the file, uploads what travels along with it, and says what is to be made of it.
    func request(for name: Name, _ client: APIClient, _ context: Context) async throws -> CreateEnvironment {
        let source = try await EnvironmentSource(file: file, environment: context.environment, client: client)
        for warning in source.warnings { context.output.note("warning: \(warning)") }
        let contexts = try await ContextUpload(client: client, context: context).upload(source.contexts)
        return CreateEnvironment(
            name: name, workmachine: workmachine, compose: source.text, file: source.file, variables: source.variables,
            environmentFiles: source.environmentFiles, contexts: contexts
        )
    }
}
