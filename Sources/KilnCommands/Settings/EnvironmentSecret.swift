internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentSecretGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Secrets: those that a Compose file calls external, and others.",
        discussion: """
            A service sees one in a file, as its “secrets” say, or in a variable: environment: {PASSWORD: "${NAME}"}. Values are sealed where they
            lie, and are never shown again.

            Examples:
              kl env secret set shop db-password < password
              kl env secret list shop
            """,
        subcommands: [EnvironmentSecretSet.self, EnvironmentSecretUnset.self, EnvironmentSecretList.self]
    )
}

struct EnvironmentSecretSet: Verb {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set a secret, read from standard input or a file: arguments are seen by everybody.",
        discussion: """
            All bytes count, the last line's end included, but for what is typed at a terminal. Services that use it start again.

            Examples:
              kl env secret set shop db-password < password
              printf %s "$PASSWORD" | kl env secret set shop db-password
              kl env secret set shop tls.key --from-file key.pem
            """
    )

    @OptionGroup var environment: EnvironmentArgument
    @Argument(help: "Its name.", transform: { try SecretName($0) }) var name: SecretName
    @OptionGroup var source: ValueSource
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let value = try SecretBytes(try source.read("Value of \(name)", limit: SecretBytes.maximumSize, isSecret: true, context))
        var change = ChangeSettings()
        change.setSecrets = [ComposeBundle.Secret(name: name, value: value)]
        try await context.change(change, of: environment, noted: "Set. No service of \(environment.name) changes by it.", wait, common)
    }
}

struct EnvironmentSecretUnset: Verb {
    static let configuration = CommandConfiguration(
        commandName: "unset", abstract: "Forget a secret that no service needs.", discussion: "Example:\n  kl env secret unset shop db-password"
    )

    @OptionGroup var environment: EnvironmentArgument
    @Argument(help: "Its name.", transform: { try SecretName($0) }) var name: SecretName
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        var change = ChangeSettings()
        change.unsetSecrets = [name]
        try await context.change(change, of: environment, noted: "Forgotten.", wait, common)
    }
}

struct EnvironmentSecretList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List an environment's secrets, and those it lacks; never their values.",
        discussion: "Example:\n  kl env secret list shop", aliases: ["ls"]
    )

    @OptionGroup var environment: EnvironmentArgument
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let report = try await client.settings(of: environment.reference)
            if common.json { return try context.output.json(report.secrets) }
            let table = SettingsTable.secrets(report)
            guard !table.rows.isEmpty else { return context.output.note("\(environment.name) has no secrets.") }
            context.output.table(table)
        }
    }
}
