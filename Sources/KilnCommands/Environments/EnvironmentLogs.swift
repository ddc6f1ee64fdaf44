internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentLogs: Verb {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what an environment's services printed, in the order of its time.",
        discussion: """
            Examples:
              kl env logs shop --tail 20
              kl env logs shop postgres api --follow --since 10m
            """
    )

    @OptionGroup var environment: EnvironmentArgument
    @Argument(help: "The services; else all.", transform: { try Name($0) }) var services: [Name] = []
    @OptionGroup var log: LogOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            var printer = LogPrinter(output: context.output, json: common.json, timestamps: log.timestamps)
            if !common.json {
                let all = try await client.get(Environment.self, environment.reference).spec.services
                printer.replicas = Dictionary(all.map { ($0.name, $0.replicas) }) { first, _ in first }
                if services.count != 1 || printer.replicas[services[0]] ?? 1 > 1 { printer.services = all.map(\.name) }
            }
            try await client.logs(
                of: .environment, environment.reference, services: services, follow: log.follow, since: log.since?.time(now: context.now()),
                tail: log.tail
            ) { try printer.print($0) }
        }
    }
}
