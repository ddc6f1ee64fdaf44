internal import ArgumentParser
internal import FoundationEssentials
internal import KilnAPI
internal import KilnModel

struct AuditVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who did what to what, through what, and whether it was allowed; for admins.",
        discussion: """
            The newest first. --json prints {"items", "next"}; --after NEXT goes on.

            Examples:
              kl audit
              kl audit --owner ben --refused --limit 20
            """
    )

    @Option(help: ArgumentHelp("Only what this owner asked for.", valueName: "name"), transform: { try Name($0) }) var owner: Name?
    @Option(help: ArgumentHelp("Only this operation, like deleteEnvironment.", valueName: "name")) var action: String?
    @Flag(help: "Only what was not done.") var refused = false
    @Option(help: ArgumentHelp("How many at most: 1 to 1000.", valueName: "count")) var limit = 50
    @Option(help: ArgumentHelp("The next of the page before.", valueName: "next")) var after: String?
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit takes 1 to 1000.") }
    }

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let page = try await client.audit(owner: owner, action: action, refused: refused, limit: limit, after: after)
            if common.json { return try context.output.json(page) }
            guard !page.items.isEmpty else { return context.output.note("Nothing was noted.") }
            context.output.table(Self.table(page.items))
            if let next = page.next { context.output.note("There is more: kl audit --after \(next)") }
        }
    }

    static func table(_ records: [AuditRecord]) -> Table {
        var table = Table(header: ["TIME", "WHO", "THROUGH", "ACTION", "WHAT", "OUTCOME"])
        table.rows = records.map { record in
            let done = record.status < 400
            return [
                Table.Cell(record.time.text(fraction: 0), .faint),
                Table.Cell(record.actor.owner.value + (record.actor.isAdmin ? " (admin)" : "")),
                Table.Cell(record.actor.token.map { "token \($0)" } ?? record.actor.workspace.map { "workspace \($0)" } ?? "-"),
                Table.Cell(record.action), Table.Cell(record.subject.map(what) ?? "-"),
                Table.Cell(done ? "done" : record.code ?? "\(record.status)", done ? .good : .bad),
            ]
        }
        return table
    }

    /// `environment anna/shop`
    private static func what(_ subject: AuditRecord.Subject) -> String {
        "\(subject.kind.noun) \(subject.owner)/\(subject.name?.value ?? subject.id?.value ?? "-")"
    }
}
