internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct PackageSearch: Verb {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Look for packages by name and description.",
        discussion: "Needs no network.\n\nExamples:\n  kl pkg search json\n  kl p search python http --limit 10"
    )

    @Argument(help: "Words that must all occur.") var words: [String]
    @Option(help: ArgumentHelp("The most results.", valueName: "count")) var limit = 30
    @Flag(name: .shortAndLong, help: "Print names only.") var quiet = false
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let query = try PackageQuery(text: words.joined(separator: " "), limit: limit)
        try await context.withClient { client in
            let found = try await client.search(query)
            if common.json { return try context.output.json(found) }
            if quiet { return found.forEach { context.output.line($0.name.value) } }
            guard !found.isEmpty else { return context.output.note("No package matches “\(query.text.printable(limit: 80))”.") }
            var table = Table(header: ["NAME", "VERSION", "SOURCE", "WHAT IT IS"])
            table.rows = found.map { package in
                [
                    Table.Cell(package.name.value), Table.Cell(package.version.value), Table.Cell(package.source.value, .faint),
                    Table.Cell(package.summary.printable(limit: 100)),
                ]
            }
            context.output.table(table)
        }
    }
}

struct PackageInfo: Verb {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show a package and the versions there are.", discussion: "Example:\n  kl pkg info nodejs", aliases: ["show"]
    )

    @Argument(help: "The package.", completion: .installedPackages, transform: { try PackageName($0) }) var name: PackageName
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let details = try await client.details(of: name)
            if common.json { return try context.output.json(details) }
            var facts: [(String, Table.Cell)] = [
                ("package", Table.Cell(details.name.value)), ("what it is", Table.Cell(details.summary.printable(limit: 200))),
            ]
            if let homepage = details.homepage { facts.append(("homepage", Table.Cell(homepage.printable(limit: 200)))) }
            context.output.table(.facts(facts))
            context.output.line()
            var table = Table(header: ["VERSION", "SOURCE", "SIZE", "THERE CALLED"])
            table.rows = details.releases.map { release in
                [
                    Table.Cell(release.version.value), Table.Cell(release.source.value),
                    Table.Cell(release.downloadSize.map(Show.size) ?? "-"), Table.Cell(release.attribute.printable(limit: 80), .faint),
                ]
            }
            context.output.table(table)
        }
    }
}
