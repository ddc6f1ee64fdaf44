internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct InterceptStatusVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what a workspace intercepts: how it is, what passed through, who calls.",
        discussion: "Examples:\n  kl intercept status\n  kl i status api --workspace hello --json"
    )

    @Argument(help: "The service; else all.", completion: .intercepts, transform: { try Name($0) }) var service: Name?
    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient { client in
            let all = try await client.intercepts(of: reference)
            let found = all.filter { service == nil || $0.intercept.service == service }
            if let service, found.isEmpty {
                throw KilnError(.notFound, "No port of \(service) is intercepted here.", hint: "kl intercept start \(service)")
            }
            if common.json { return try context.output.json(found) }
            guard !found.isEmpty else { return context.output.note("Nothing is intercepted. Begin with: kl intercept start SERVICE") }
            for (number, report) in found.enumerated() {
                if number > 0 { context.output.line() }
                context.output.table(InterceptTable.report(report, now: context.now()))
            }
        }
    }
}
