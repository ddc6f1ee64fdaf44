internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentRestart: Verb {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Start services afresh, in new containers; volumes stay.",
        discussion: """
            In the order of their dependencies; what depends on them goes on. Returns when all services are well.

            Examples:
              kl env restart shop
              kl e restart shop api worker
            """
    )

    @OptionGroup var environment: EnvironmentArgument
    @Argument(help: "The services; else all.", transform: { try Name($0) }) var services: [Name] = []
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let name = environment.name
        try await context.withClient(wait) { client in
            try await context.conclude(
                try await client.restart(services.isEmpty ? nil : services, of: environment.reference), client, wait, common,
                pending: "Environment \(name) is being restarted.", until: { .running($0, version: $1) },
                done: { _ in "Environment \(name) is running." })
        }
    }
}
