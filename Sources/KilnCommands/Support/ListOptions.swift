internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

/// What every list takes: which are wanted, and how many at a time.
struct ListOptions<Phase: CaseIterable & RawRepresentable<String>>: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Print names only.") var quiet = false
    @Option(help: ArgumentHelp("Only this owner's.", valueName: "name"), transform: { try Name($0) }) var owner: Name?
    @Flag(name: .customLong("all-owners"), help: "Everybody's; for admins.") var allOwners = false
    @Option(help: ArgumentHelp("Only those in this phase.", valueName: "phase"), completion: .list(Phase.allCases.map(\.rawValue)))
    var phase: String?
    @Option(help: ArgumentHelp("Only those whose name begins so.", valueName: "text")) var prefix: String?
    @Option(help: ArgumentHelp("How many at most: 1 to 500. With --json it prints {items, next}.", valueName: "count")) var limit: Int?
    @Option(help: ArgumentHelp("Those that come after: the next of the page before.", valueName: "next")) var after: String?

    /// Whether one page is wanted instead of all.
    var isPage: Bool { limit != nil || after != nil }

    func validate() throws {
        guard owner == nil || !allOwners else { throw ValidationError("--owner and --all-owners contradict each other.") }
        guard (1...500).contains(limit ?? 1) else { throw ValidationError("--limit takes 1 to 500.") }
    }

    /// - Parameter workmachine: name or id of the one that they must be on.
    func filter(workmachine: String? = nil) -> ListFilter {
        ListFilter(owner: allOwners ? .everybody : owner.map { .one($0) }, workmachine: workmachine, phase: phase, prefix: prefix)
    }
}

/// On which workmachine.
struct WorkmachineOption: ParsableArguments {
    @Option(help: ArgumentHelp("Only those on it.", valueName: "name"), completion: .machines, transform: { try Name($0) }) var workmachine: Name?
}

extension Context {
    /// Lists what is wanted of a kind: as JSON, by name only, or as a table.
    /// - Parameters:
    ///   - hint: the way to the first one.
    ///   - table: what people see.
    func list<Item: ShownResource>(
        _ type: Item.Type, _ options: ListOptions<some CaseIterable & RawRepresentable<String>>, on workmachine: Name? = nil, _ common: CommonOptions,
        hint: String,
        table: ([Item], APIClient) async throws -> Table
    ) async throws {
        let filter = options.filter(workmachine: workmachine?.value)
        try await withClient { client in
            var items: [Item]
            var next: String?
            if options.isPage {
                let page = try await client.page(of: Item.self, where: filter, after: options.after, limit: options.limit)
                (items, next) = (page.items, page.next)
                if common.json { return try output.json(page) }
            } else {
                items = try await client.list(Item.self, where: filter)
                    .sorted { ($0.metadata.name, $0.metadata.owner) < ($1.metadata.name, $1.metadata.owner) }
                if common.json { return try output.json(items) }
            }
            if let next { output.note("There is more: --after \(next)") }
            if options.quiet { return quiet(items) }
            guard !items.isEmpty else {
                let isFiltered = filter != ListFilter() || options.isPage
                return output.note(isFiltered ? "There are no such \(Item.noun)s." : "There are no \(Item.noun)s. \(hint)")
            }
            output.table(try await table(items, client))
        }
    }

    /// A name alone means the caller's own, so among several owners all are told.
    private func quiet<Item: ShownResource>(_ items: [Item]) {
        let hasSeveral = Set(items.map(\.metadata.owner)).count > 1
        for item in items {
            output.line(hasSeveral ? QualifiedName(owner: item.metadata.owner, name: item.metadata.name).description : item.metadata.name.value)
        }
    }
}
