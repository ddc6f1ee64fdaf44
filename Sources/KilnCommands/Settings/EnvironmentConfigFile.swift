internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentConfigFileGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config-file", abstract: "Small files of services, over those of the Compose file.",
        discussion: """
            Examples:
              kl env config-file set shop api /etc/api.conf < api.conf
              kl env config-file unset shop api /etc/api.conf
            """,
        subcommands: [EnvironmentConfigFileSet.self, EnvironmentConfigFileUnset.self, EnvironmentConfigFileList.self]
    )
}

/// A file of a service.
struct ServiceFileArgument: ParsableArguments {
    @OptionGroup var environment: EnvironmentArgument
    @Argument(help: "The service.", transform: { try Name($0) }) var service: Name
    @Argument(help: "Where the service sees it.", transform: { try ContainerPath($0) }) var path: ContainerPath
}

struct EnvironmentConfigFileSet: Verb {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set a file, read from standard input or a file; the service starts again.",
        discussion: """
            It takes the place of a config of the Compose file at the same path, and stays when another is applied.

            Example:
              kl env config-file set shop api /etc/api.conf --from-file api.conf --mode 0640
            """
    )

    @OptionGroup var file: ServiceFileArgument
    @OptionGroup var source: ValueSource
    @Option(help: ArgumentHelp("Permission bits; else 0444.", valueName: "octal"), transform: Self.mode) var mode: Int?
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let bytes = try source.read("Text of \(file.path)", limit: SettingsFile.maximumSize, context)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw KilnError(.init("invalid-file", .usage), "That is not text.", hint: "Mount files that are not beside the Compose file.")
        }
        var change = ChangeSettings(service: file.service)
        change.setFiles = [try SettingsFile(path: file.path, text: text, mode: mode)]
        try await context.change(change, of: file.environment, noted: "It was so already.", wait, common)
    }

    private static func mode(_ text: String) throws(KilnError) -> Int {
        guard let mode = Int(text, radix: 8), (0...0o7777).contains(mode) else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 40))” is no file mode.", hint: "Write it like 0644.")
        }
        return mode
    }
}

struct EnvironmentConfigFileUnset: Verb {
    static let configuration = CommandConfiguration(
        commandName: "unset", abstract: "Forget a file; what the Compose file has at its path counts again.",
        discussion: "Example:\n  kl env config-file unset shop api /etc/api.conf"
    )

    @OptionGroup var file: ServiceFileArgument
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        var change = ChangeSettings(service: file.service)
        change.unsetFiles = [file.path]
        try await context.change(change, of: file.environment, noted: "Forgotten.", wait, common)
    }
}

struct EnvironmentConfigFileList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the files that are set.", discussion: "Example:\n  kl env config-file list shop --json", aliases: ["ls"]
    )

    @OptionGroup var environment: EnvironmentArgument
    @OptionGroup var service: ServiceOption
    @OptionGroup var common: CommonOptions

    private struct Shown: Encodable {
        var service: Name
        var file: SettingsFile
    }

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let services = try await client.settings(of: environment.reference).settings.services
            let files = services.sorted { $0.key < $1.key }.filter { service.service == nil || $0.key == service.service }
                .flatMap { name, own in own.files.map { Shown(service: name, file: $0) } }
            if common.json { return try context.output.json(files) }
            guard !files.isEmpty else { return context.output.note("No file is set in \(environment.name).") }
            var table = Table(header: ["SERVICE", "PATH", "MODE", "SIZE"])
            table.rows = files.map { shown in
                [
                    Table.Cell(shown.service.value), Table.Cell(shown.file.path.value), Table.Cell(String(shown.file.mode ?? 0o444, radix: 8)),
                    Table.Cell(Show.size(shown.file.text.utf8.count)),
                ]
            }
            context.output.table(table)
        }
    }
}
