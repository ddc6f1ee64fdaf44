public import ArgumentParser
internal import CLinux
internal import KilnServer
public import Logging

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Serve until SIGTERM.")

    @OptionGroup var options: InstanceOptions

    @Option(help: "A loopback address; others are refused, for tokens would travel in the clear.")
    var address = "127.0.0.1"

    @Option(help: "TCP port.")
    var port = 7433

    @Option(help: "trace, debug, info, notice, warning, error or critical; logs go to stderr.")
    var logLevel: Logger.Level = .info

    func run() async throws {
        linux_keep_little_memory()
        let configuration = try options.configuration(address: address, port: port)
        var logger = Logger(label: "kilnd", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = logLevel
        try await KilnServer.run(configuration, logger: logger)
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
