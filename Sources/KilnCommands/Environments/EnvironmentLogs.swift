internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentLogs: Verb {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what an environment's services printed.",
        discussion: "Examples:\n  kl env logs shop --tail 20\n  kl env logs shop postgres --follow"
    )

    @OptionGroup var environment: EnvironmentArgument
    @Argument(help: "One service; else all.", transform: { try Name($0) }) var service: Name?
    @OptionGroup var log: LogOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let printer = LogPrinter(output: context.output, json: common.json, showsService: service == nil)
        try await context.withClient { client in
            try await client.logs(of: .environment, environment.reference, service: service, follow: log.follow, tail: log.tail) {
                try printer.print($0)
            }
        }
    }
}
