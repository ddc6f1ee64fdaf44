internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentConfigGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Variables over those of the Compose file; only services that use them start again.",
        discussion: """
            A variable of the environment fills ${KEY} in the files, and takes the place of KEY in every service that has it. One of a service
            (--service) is set in that service. Both stay when another file is applied.

            Examples:
              kl env config set shop GREETING=hello
              kl env config set shop --service api LOG_LEVEL=debug
              kl env config list shop
            """,
        subcommands: [EnvironmentConfigSet.self, EnvironmentConfigUnset.self, EnvironmentConfigList.self, EnvironmentConfigImport.self]
    )
}

struct EnvironmentConfigSet: Verb {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set variables.",
        discussion: "What is secret goes into: kl env secret set\n\nExample:\n  kl env config set shop GREETING=hello STAGE=test"
    )

    @OptionGroup var environment: EnvironmentArgument
    @Argument(help: ArgumentHelp("The variables.", valueName: "KEY=VALUE"), transform: { try EnvironmentVariable($0) })
    var variables: [EnvironmentVariable]
    @OptionGroup var service: ServiceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        var change = ChangeSettings(service: service.service)
        change.setVariables = variables
        let names = variables.map(\.key).joined(separator: ", ")
        try await context.change(change, of: environment, noted: "Set. No service of \(environment.name) changes by \(names).", wait, common)
    }
}

struct EnvironmentConfigUnset: Verb {
    static let configuration = CommandConfiguration(
        commandName: "unset", abstract: "Forget variables; what the Compose file says counts again.",
        discussion: "Example:\n  kl env config unset shop GREETING"
    )

    @OptionGroup var environment: EnvironmentArgument
    @Argument(help: ArgumentHelp("The variables.", valueName: "KEY")) var keys: [String]
    @OptionGroup var service: ServiceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        var change = ChangeSettings(service: service.service)
        change.unsetVariables = keys
        try await context.change(change, of: environment, noted: "Forgotten. No service of \(environment.name) changes.", wait, common)
    }
}

struct EnvironmentConfigImport: Verb {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Set all variables of a .env file.",
        discussion: "Examples:\n  kl env config import shop .env\n  kl env config import shop --service api - < api.env"
    )

    @OptionGroup var environment: EnvironmentArgument
    @Argument(help: "The file; - for standard input.", completion: .file()) var file: String
    @OptionGroup var service: ServiceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let bytes = try ValueSource.read(file, file, limit: 256 << 10, context)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw KilnError(.init("invalid-file", .usage), "\(file.printable()) is not a text file.")
        }
        var change = ChangeSettings(service: service.service)
        change.importVariables = text
        try await context.change(change, of: environment, noted: "Set. No service of \(environment.name) changes by it.", wait, common)
    }
}

struct EnvironmentConfigList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what is set by command: variables, files, secrets without their values.",
        discussion: "Examples:\n  kl env config list shop\n  kl env config list shop --service api --json", aliases: ["ls"]
    )

    @OptionGroup var environment: EnvironmentArgument
    @OptionGroup var service: ServiceOption
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let report = try await client.settings(of: environment.reference)
            if common.json { return try context.output.json(report) }
            let table = SettingsTable.all(report, of: service.service)
            guard !table.rows.isEmpty else {
                return context.output.note("Nothing is set. Set something with: kl env config set \(environment.name) KEY=VALUE")
            }
            context.output.table(table)
        }
    }
}

/// What is set, for people.
enum SettingsTable {
    /// - Parameter service: nil: everything.
    static func all(_ report: SettingsReport, of service: Name?) -> Table {
        var table = Table(header: ["SERVICE", "WHAT", "NAME", "VALUE"])
        if service == nil {
            table.rows += report.settings.variables.sorted { $0.key < $1.key }.map {
                [Table.Cell("-", .faint), "variable", Table.Cell($0.key), Table.Cell($0.value.printable(limit: 120))]
            }
            table.rows += report.secrets.filter(\.isSet).map {
                [Table.Cell("-", .faint), "secret", Table.Cell($0.name.value), Table.Cell("set", .faint)]
            }
        }
        for (name, own) in report.settings.services.sorted(by: { $0.key < $1.key }) where service == nil || name == service {
            table.rows += own.variables.sorted { $0.key < $1.key }.map {
                [Table.Cell(name.value), "variable", Table.Cell($0.key), Table.Cell($0.value.printable(limit: 120))]
            }
            table.rows += own.files.map {
                [Table.Cell(name.value), "file", Table.Cell($0.path.value), Table.Cell(Show.size($0.text.utf8.count), .faint)]
            }
        }
        return table
    }

    static func secrets(_ report: SettingsReport) -> Table {
        var table = Table(header: ["SECRET", "FROM", "VERSION", "SERVICES"])
        table.rows = report.secrets.map { secret in
            [
                Table.Cell(secret.name.value), Table.Cell(secret.isSet ? "command" : "file"), Table.Cell("\(secret.version)"),
                Table.Cell(secret.services.isEmpty ? "-" : secret.services.map(\.value).joined(separator: " ")),
            ]
        }
        table.rows += report.missingSecrets.map { [Table.Cell($0.value), Table.Cell("not set", .bad), Table.Cell("-"), Table.Cell("")] }
        return table
    }
}
