internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct InterceptEnv: Verb {
    static let configuration = CommandConfiguration(
        commandName: "env", abstract: "Print the variables that a service runs with.",
        discussion: """
            Of the environment that the workspace is connected to, unless --env says otherwise. Mounts and the names of secrets follow as comments.

            Examples:
              eval "$(kl intercept env api)"
              kl intercept env api --format dotenv > .env
            """
    )

    @Argument(help: "The service.", completion: .services, transform: { try Name($0) }) var service: Name
    @Option(
        help: ArgumentHelp("shell, for eval; dotenv, for a file; json.", valueName: "shell|dotenv|json"),
        completion: .list(SurroundingsText.Format.allCases.map(\.rawValue)), transform: Self.format
    )
    var format = SurroundingsText.Format.shell
    @Option(
        name: .customLong("env"), help: ArgumentHelp("The environment.", valueName: "name"), completion: .environments,
        transform: { try QualifiedName($0) }
    )
    var environment: QualifiedName?
    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let source = environment == nil ? try workspace.reference(in: context) : nil
        try await context.withClient { client in
            var target = environment.map { Reference.name($0) }
            if let source {
                let workspace = try await client.get(Workspace.self, source)
                guard let connection = workspace.spec.connection else { throw KilnError.notConnected(workspace.metadata.name) }
                target = .id(connection)
            }
            guard let target else { return }
            let surroundings = try await client.surroundings(of: service, in: target)
            let format = common.json ? .json : format
            guard format == .json else { return context.output.standard.write(SurroundingsText.text(surroundings, format)) }
            try context.output.json(SurroundingsText.Shown(surroundings))
        }
    }

    private static func format(_ text: String) throws(KilnError) -> SurroundingsText.Format {
        guard let format = SurroundingsText.Format(rawValue: text) else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 40))” is none of shell, dotenv and json.", hint: "--format dotenv")
        }
        return format
    }
}
