internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

/// Which Compose files a verb reads, and what of them.
struct ComposeOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("A Compose file; a later one comes over an earlier one. Else compose.yaml here.", valueName: "path"), completion: .file())
    var file: [String] = []
    @Option(help: ArgumentHelp("Take part: the services of this profile.", valueName: "name"))
    var profile: [String] = []

    /// Names that are looked for when none is given, in this order; each with the name of a file that comes over it.
    private static let usualNames = [
        "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml",
    ]

    /// Reads the files, uploads what travels along with them, and says what was read.
    /// - Parameter environment: one that is there already.
    func bundle(for environment: QualifiedName? = nil, _ client: APIClient, _ context: Context) async throws -> ComposeBundle {
        let source = try await EnvironmentSource(
            files: file, profiles: profile, environment: environment?.description, context: context, client: client)
        for warning in source.warnings { context.output.note("warning: \(warning)") }
        return try await ContextUpload(client: client, context: context).upload(source)
    }

    /// The files that are meant.
    static func paths(_ given: [String]) throws(KilnError) -> [String] {
        guard given.isEmpty else { return given }
        guard let name = usualNames.first(where: ProjectFolder.exists) else {
            throw KilnError(.invalidValue, "There is no \(usualNames[0]) here.", hint: "Name the Compose file: --file PATH")
        }
        let stem = name.prefix { $0 != "." }
        let over = ["\(stem).override.yaml", "\(stem).override.yml"].filter(ProjectFolder.exists)
        return [name] + over.prefix(1)
    }
}
