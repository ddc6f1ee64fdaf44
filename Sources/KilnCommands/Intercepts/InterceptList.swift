internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct InterceptList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the intercepts.",
        discussion: """
            Those in the environment that the workspace is connected to; outside a workspace those of all your workspaces, unless \
            --workspace or --env says otherwise.

            Examples:
              kl intercept list
              kl i ls --env shop --json
            """,
        aliases: ["ls"]
    )

    @Option(
        name: .customLong("env"), help: ArgumentHelp("Those in an environment.", valueName: "name"), completion: .environments,
        transform: { try QualifiedName($0) }
    )
    var environment: QualifiedName?
    @OptionGroup var workspace: WorkspaceOption
    @Flag(name: .shortAndLong, help: "Print the services' names only.") var quiet = false
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let inside = try context.access().isInside
        try await context.withClient { client in
            let found: [InterceptSummary]
            var names: ResourceNames?
            if let environment {
                found = try await client.intercepts(in: .name(environment))
            } else if inside || workspace.workspace != nil {
                let report = try await client.report(on: workspace.reference(in: context))
                found = report.intercepts + InterceptSummary.all(of: report.workspace).filter { $0.phase == .lost }
            } else {
                found = try await client.list(Workspace.self).flatMap(InterceptSummary.all(of:))
                if !common.json, !quiet, !found.isEmpty { names = try await ResourceNames(client) }
            }
            if common.json { return try context.output.json(found) }
            if quiet { return Set(found.map(\.service)).sorted().forEach { context.output.line($0.value) } }
            guard !found.isEmpty else { return context.output.note("Nothing is intercepted. Begin with: kl intercept start SERVICE") }
            context.output.table(InterceptTable.list(found, names: names, now: context.now()))
        }
    }
}
