internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the environments.", discussion: "Examples:\n  kl env list\n  kl e ls --json", aliases: ["ls"]
    )

    @OptionGroup var options: ListOptions<Environment.Phase>
    @OptionGroup var place: WorkmachineOption
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.list(
            Environment.self, options, on: place.workmachine, common, hint: "Make one with: kl env create NAME --file compose.yaml"
        ) { environments, _ in
            Self.table(environments, now: context.now())
        }
    }

    static func table(_ environments: [Environment], now: Timestamp) -> Table {
        Table(of: environments, header: ["NAME", "PHASE", "SINCE", "SERVICES"]) { environment in
            let well = environment.status.services.filter(\.isWell).count
            return [
                Table.Cell(environment.metadata.name.value), Show.phase(environment.phaseText),
                Table.Cell(Show.since(environment.status.since, now: now)), Table.Cell("\(well) of \(environment.spec.services.count) well"),
            ]
        }
    }
}

extension ServiceStatus {
    /// Running as it should, or done with what it had to do.
    var isWell: Bool { phase == .running || phase == .healthy || phase == .exited && exitStatus == 0 }
}
