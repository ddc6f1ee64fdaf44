internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentValidate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Say everything there is to say about Compose files.",
        discussion: """
            Prints FILE:LINE:COLUMN with each finding. Exit status: 0 without errors, 1 with.

            Examples:
              kl env validate compose.yaml
              kl env validate compose.yaml compose.dev.yaml --profile debug --json
            """
    )

    @OptionGroup var files: ComposeArguments
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let report = try await files.report(context, client)
            if common.json {
                try context.output.json(report)
            } else {
                for finding in report.findings { context.output.line(finding.located) }
            }
            let errors = report.findings.count { $0.severity == .error }
            guard errors == 0 else {
                throw KilnError(.init("invalid-compose", .failed), errors == 1 ? "There is 1 error." : "There are \(errors) errors.")
            }
            if !common.json { context.output.note("No errors.") }
        }
    }
}

struct EnvironmentConvert: Verb {
    static let configuration = CommandConfiguration(
        commandName: "convert", abstract: "Print what Kiln understands of Compose files.",
        discussion: """
            The result is one Compose file, as YAML, in long syntax. The values of secrets are not in it.

            Examples:
              kl env convert compose.yaml
              kl env convert compose.yaml compose.dev.yaml --json
            """
    )

    @OptionGroup var files: ComposeArguments
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let report = try await files.report(context, client)
            guard let yaml = report.yaml, let json = report.json else {
                let errors = report.findings.filter { $0.severity == .error }.map(\.located)
                throw KilnError(.init("invalid-compose", .failed), errors.joined(separator: "\n"))
            }
            for finding in report.findings where finding.severity == .warning { context.output.note(finding.located) }
            context.output.standard.write(common.json ? json + "\n" : yaml)
        }
    }
}

/// Compose files as arguments.
struct ComposeArguments: ParsableArguments {
    @Argument(help: "Compose files; a later one comes over an earlier one. Else compose.yaml here.", completion: .file())
    var file: [String] = []
    @Option(help: ArgumentHelp("Take part: the services of this profile.", valueName: "name"))
    var profile: [String] = []
    @Option(
        help: ArgumentHelp("An environment whose secrets the files may name.", valueName: "name"), completion: .environments,
        transform: { try QualifiedName($0) })
    var environment: QualifiedName?

    fileprivate func report(_ context: Context, _ client: APIClient) async throws -> ComposeReport {
        try await EnvironmentSource.gather(files: file, profiles: profile, context: context) { sources in
            let report = try await client.report(on: InspectCompose(sources: sources, environment: environment?.description))
            return (report.needs, report.variables, report)
        }.1
    }
}

extension ComposeReport.Finding {
    fileprivate var located: String {
        let text = hint.map { "\(message) \($0)" } ?? message
        return "\(file.printable()):\(line):\(column): \(severity.rawValue): \(text)"
    }
}
