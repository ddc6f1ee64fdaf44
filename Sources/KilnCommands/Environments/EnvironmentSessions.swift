internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

/// The service of an environment a verb is about.
struct ServiceArgument: ParsableArguments {
    @OptionGroup var environment: EnvironmentArgument
    @Argument(help: "The service.", transform: { try Name($0) }) var service: Name

    @Option(help: ArgumentHelp("Which of its containers, from 1; else the first that runs.", valueName: "number")) var replica: Int?

    var place: SessionPlace { .service(service, replica: replica, of: environment.reference) }
}

struct EnvironmentExec: Verb {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a program in a service's container.",
        discussion: """
            It runs as the service's own program does: same user, folder and variables. It gets a terminal when there is one. Input, output,
            the exit status and the signals INT, TERM, HUP, QUIT, USR1 and USR2 pass through.

            Examples:
              kl env exec shop postgres -- psql -U shop
              echo 'select 1' | kl e exec shop postgres -- psql -U shop
              kl e exec shop redis -T -- redis-cli ping
              kl e exec shop api --replica 2 -- ps
            """
    )

    @OptionGroup var service: ServiceArgument
    @Flag(name: [.customShort("T"), .customLong("no-tty")], help: "Give the program no terminal.") var noTerminal = false
    @Argument(parsing: .postTerminator, help: ArgumentHelp("The program and its arguments, after --.", valueName: "command"))
    var command: [String] = []
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard !command.isEmpty else {
            throw ValidationError("Give the program after --, like: kl env exec \(service.environment.name) \(service.service) -- ls")
        }
    }

    func run(in context: Context) async throws {
        try await SessionRunner.start(command, in: service.place, needsTerminal: !noTerminal && context.hasTerminal, context)
    }
}

struct EnvironmentShell: Verb {
    static let configuration = CommandConfiguration(
        commandName: "shell", abstract: "Open a terminal in a service's container.",
        discussion: "Runs bash, or sh where there is none.\n\nExample:\n  kl env shell shop api"
    )

    @OptionGroup var service: ServiceArgument
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await SessionRunner.start([], in: service.place, needsTerminal: context.hasTerminal, context)
    }
}
