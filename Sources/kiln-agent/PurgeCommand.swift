import ArgumentParser
import KilnAgent

struct PurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge", abstract: "Remove every container, network, folder and volume of an installation.")

    @OptionGroup var options: InstanceOptions

    func run() async throws {
        let configuration = try AgentConfiguration(
            instance: options.instance, slot: options.slot, stateDirectory: options.stateDirectory, runtimeDirectory: options.runtimeDirectory)
        try await KilnAgent.purge(configuration)
    }
}
