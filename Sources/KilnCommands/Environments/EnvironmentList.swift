internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the environments.", discussion: "Examples:\n  kl env list\n  kl e ls --json", aliases: ["ls"]
    )

    @Flag(name: .shortAndLong, help: "Print names only.") var quiet = false
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let environments = try await client.list(Environment.self).sorted { $0.metadata.name < $1.metadata.name }
            if common.json { return try context.output.json(environments) }
            if quiet { return environments.forEach { context.output.line($0.metadata.name.value) } }
            guard !environments.isEmpty else {
                return context.output.note("There are no environments. Make one with: kl env create NAME --file compose.yaml")
            }
            context.output.table(Self.table(environments, now: context.now()))
        }
    }

    static func table(_ environments: [Environment], now: Double) -> Table {
        let showsOwner = Set(environments.map(\.metadata.owner)).count > 1
        var table = Table(header: (showsOwner ? ["OWNER"] : []) + ["NAME", "PHASE", "SINCE", "SERVICES"])
        table.rows = environments.map { environment in
            let well = environment.status.services.filter(\.isWell).count
            return (showsOwner ? [Table.Cell(environment.metadata.owner.value)] : []) + [
                Table.Cell(environment.metadata.name.value), Show.phase(environment.status.phase.rawValue),
                Table.Cell(Show.since(environment.status.since, now: now)), Table.Cell("\(well) of \(environment.spec.services.count) well"),
            ]
        }
        return table
    }
}

extension ServiceStatus {
    /// Running as it should, or done with what it had to do.
    var isWell: Bool { phase == .running || phase == .healthy || phase == .exited && exitStatus == 0 }
}
