internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentApply: Verb {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Make an environment what a Compose file says; only services that differ change.",
        discussion: """
            An environment that does not exist is made. A stopped one stays stopped. Returns when all services are well.

            Examples:
              kl env apply shop --file compose.yaml
              kl e apply shop --dry-run
            """
    )

    @OptionGroup var environment: EnvironmentArgument
    @OptionGroup var compose: ComposeOptions
    @Option(help: ArgumentHelp("Where a new one lives.", valueName: "name"), completion: .machines, transform: { try Name($0) })
    var workmachine: Name?
    @Flag(help: "Only print what would become of each service.") var dryRun = false
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient(wait) { client in
            let exists = try await client.exists(Environment.self, environment.reference)
            let bundle = try await compose.bundle(for: exists ? environment.name : nil, client, context)
            let asked = CreateEnvironment(name: environment.name.name, workmachine: workmachine, bundle: bundle)
            let applied = try await client.apply(asked, to: environment.reference, dryRun: dryRun)
            if dryRun {
                if common.json { return try context.output.json(applied) }
                return context.output.table(PlanTable.table(applied.plan))
            }
            guard let changed = applied.environment else {
                throw KilnError(.internalError, "kilnd took the file and did not say what became of it.", hint: "kl version")
            }
            if !common.json, !applied.plan.changesNothing { context.output.table(PlanTable.table(applied.plan)) }
            try await context.concludeApplication(changed, applied.plan, called: environment.name, client, wait, common)
        }
    }
}

extension Context {
    /// Waits until an environment is what was applied to it: running, or stopped if it was.
    func concludeApplication(
        _ changed: Environment, _ plan: ApplyPlan, called name: QualifiedName, _ client: APIClient, _ wait: WaitOptions, _ common: CommonOptions
    ) async throws {
        let runs = changed.spec.desiredState == .running
        let state = runs ? "running" : "stopped; start it with: kl env start \(name)"
        try await conclude(
            changed, client, wait, common, pending: "Environment \(name) is being changed.",
            until: { runs ? .running($0, version: $1) : .stopped($0, version: $1) },
            done: { _ in plan.changesNothing ? "Environment \(name) is \(state). Nothing had to change." : "Environment \(name) is \(state)." })
    }
}

/// What becomes of each service, for people.
enum PlanTable {
    static func table(_ plan: ApplyPlan) -> Table {
        var table = Table(header: ["SERVICE", "ACTION", "WHAT"])
        table.rows = plan.steps.map { step in
            [Table.Cell(step.service.value), Table.Cell(step.action.rawValue, style(of: step.action)), Table.Cell(what(step))]
        }
        return table
    }

    private static func what(_ step: ApplyPlan.Step) -> String {
        guard step.action == .change else { return "" }
        return step.fields.joined(separator: ", ") + (step.restarts ? "" : " (without a restart)")
    }

    private static func style(of action: ApplyPlan.Action) -> Table.Style {
        switch action {
        case .create: .good
        case .change: .busy
        case .remove: .bad
        case .unchanged: .faint
        }
    }
}
