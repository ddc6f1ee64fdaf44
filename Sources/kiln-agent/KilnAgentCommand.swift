public import ArgumentParser
import KilnAgent
public import Logging

/// `kiln-agent`: makes containers and networks what kilnd says they should be, as root.
@main
struct KilnAgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiln-agent", abstract: "Run workspaces and environments on this host.", subcommands: [RunCommand.self, PurgeCommand.self])
}

/// Which installation a command is about.
struct InstanceOptions: ParsableArguments {
    @Option(help: "Name of the installation.")
    var instance = "kiln"

    @Option(help: "Its slot, 0 to 31, which decides its address and user-id ranges.")
    var slot = 0

    @Option(help: "Where its state lies; default /var/lib/INSTANCE.")
    var stateDirectory: String?

    @Option(help: "Where its sockets lie; default /run/INSTANCE.")
    var runtimeDirectory: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical; logs go to stderr.")
    var logLevel: Logger.Level = .info

    var logger: Logger {
        var logger = Logger(label: "kiln-agent", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = logLevel
        return logger
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
