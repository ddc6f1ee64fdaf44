import ArgumentParser
import CLinux
import KilnAgent

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Serve kilnd until SIGTERM; containers stay.")

    @OptionGroup var options: InstanceOptions

    @Option(help: "The user kilnd runs as; nobody else is obeyed.")
    var peerUser = "kiln"

    @Option(help: "Directory with `kl`, mounted read-only in every workspace; default /usr/local/lib/INSTANCE/tools.")
    var toolsDirectory: String?

    @Option(help: "Rootfs tar of the workspace image, imported when it changed.")
    var baseImage: String?

    @Option(help: "File that says where packages come from; default /etc/INSTANCE/packages.json.")
    var packagesFile: String?

    @Option(help: "What makes store paths of Debian packages; default /usr/local/lib/INSTANCE/debian.")
    var debianBuilder: String?

    func run() async throws {
        linux_keep_little_memory()
        let configuration = try AgentConfiguration(
            instance: options.instance, slot: options.slot, peerUser: peerUser, stateDirectory: options.stateDirectory,
            runtimeDirectory: options.runtimeDirectory, toolsDirectory: toolsDirectory, baseImage: baseImage, packagesFile: packagesFile,
            debianBuilder: debianBuilder)
        try await KilnAgent.run(configuration, logger: options.logger)
    }
}
