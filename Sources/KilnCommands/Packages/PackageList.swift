internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct PackageList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List a workspace's packages.",
        discussion:
            "Sizes are with all that a package needs; packages may need the same.\n\nExamples:\n  kl pkg list\n  kl p ls --workspace hello --json",
        aliases: ["ls"]
    )

    @OptionGroup var workspace: WorkspaceOption
    @Flag(name: .shortAndLong, help: "Print names only.") var quiet = false
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient { client in
            let report = try await client.packages(of: reference)
            if common.json { return try context.output.json(report) }
            if quiet { return report.packages.forEach { context.output.line($0.package.name.value) } }
            if report.packages.isEmpty {
                context.output.note("Workspace \(report.workspace) has no packages. Begin with: kl pkg add NAME")
            } else {
                context.output.table(PackageTable.list(report))
            }
            PackageTable.remarks(report).forEach(context.output.note)
        }
    }
}

/// Packages, for people.
enum PackageTable {
    private static let programsShown = 5

    static func list(_ report: PackagesReport) -> Table {
        var table = Table(header: ["NAME", "VERSION", "SOURCE", "SIZE", "PROGRAMS"])
        table.rows = report.packages.map { item in
            let package = item.package
            return [
                Table.Cell(package.name.value), Table.Cell(package.version.value), Table.Cell(package.source.value),
                Table.Cell(item.installed.map { Show.size($0.size) } ?? "-"),
                item.installed.map { Table.Cell(programs($0.programs)) } ?? Table.Cell("not there yet", .busy),
            ]
        }
        return table
    }

    private static func programs(_ programs: [String]) -> String {
        guard !programs.isEmpty else { return "-" }
        let rest = programs.count - programsShown
        return programs.prefix(programsShown).joined(separator: " ") + (rest > 0 ? " and \(rest) more" : "")
    }

    /// What is to be said beside the list.
    static func remarks(_ report: PackagesReport) -> [String] {
        var remarks: [String] = []
        switch report.status?.phase {
        case .installing:
            remarks.append("Generation \(report.generation) is being installed" + (report.status?.progress.map { ": \($0.activity)" } ?? "") + ".")
        case .failed: remarks += lines(report.status?.reason ?? .unknown, "Generation \(report.generation) could not be installed")
        case .ready, nil: break
        }
        for failure in report.status?.failures ?? [] { remarks += lines(failure.reason, "\(failure.name) \(failure.version) was not added") }
        for case let installed? in report.packages.map(\.installed) {
            for (other, files) in Dictionary(grouping: installed.shadowed, by: \.by).sorted(by: { $0.key < $1.key }) {
                let more = files.count > 1 ? " and \(files.count - 1) more" : ""
                remarks.append("\(files[0].path)\(more) of \(installed.name) is hidden by that of \(other).")
            }
        }
        return remarks
    }

    private static func lines(_ reason: Reason, _ what: String) -> [String] {
        ["\(what): \(reason.message)"] + (reason.hint.map { ["  try: \($0)"] } ?? [])
    }
}
