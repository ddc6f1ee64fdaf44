internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env", abstract: "Sets of services in Compose syntax, with a private network.",
        subcommands: [
            EnvironmentCreate.self, EnvironmentApply.self, EnvironmentList.self, EnvironmentShow.self, EnvironmentStart.self, EnvironmentStop.self,
            EnvironmentRestart.self, EnvironmentExec.self, EnvironmentShell.self, EnvironmentConnect.self, EnvironmentDisconnect.self,
            EnvironmentStatus.self, EnvironmentLogs.self, EnvironmentDelete.self, EnvironmentVolumesGroup.self, EnvironmentValidate.self,
            EnvironmentConvert.self, EnvironmentConfigGroup.self, EnvironmentSecretGroup.self, EnvironmentConfigFileGroup.self,
            EnvironmentShare.self, EnvironmentUnshare.self, EnvironmentExportVerb.self,
        ],
        aliases: ["e"]
    )
}

/// The environment a verb is about.
struct EnvironmentArgument: ParsableArguments {
    @Argument(help: "The environment: [owner/]name.", completion: .environments, transform: { try QualifiedName($0) })
    var name: QualifiedName

    var reference: Reference { .name(name) }
}
