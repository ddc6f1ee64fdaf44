internal import ArgumentParser
internal import KilnModel
internal import KilnServer
internal import Logging

/// `kilnd`: serves Kiln's API, without privilege.
@main
struct KilndCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kilnd", abstract: "Serve Kiln's API and keep workspaces as they should be.", subcommands: [RunCommand.self, TokenCommand.self]
    )
}

/// Which installation a command is about.
struct InstanceOptions: ParsableArguments {
    @Option(help: "Name of the installation.")
    var instance = Instance.defaultName

    @Option(help: "Its slot, 0 to \(Instance.slotCount - 1), which decides its address and user-id ranges.")
    var slot = 0

    @Option(help: "Where its state lies; default /var/lib/INSTANCE.")
    var stateDirectory: String?

    @Option(help: "Where its sockets lie; default /run/INSTANCE.")
    var runtimeDirectory: String?

    func configuration(address: String = "127.0.0.1", port: Int = 7433) throws -> Configuration {
        try Configuration(
            instance: Instance(name: Name(instance), slot: slot), address: address, port: port, stateDirectory: stateDirectory,
            runtimeDirectory: runtimeDirectory
        )
    }
}
