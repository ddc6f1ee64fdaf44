internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct ConfigurationGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Where kilnd is and how to sign in.",
        discussion: """
            Kept in ~/.config/kiln/config.json. KILN_URL and KILN_TOKEN come before it. Inside a workspace nothing is needed.

            Examples:
              kl config set-url http://127.0.0.1:7433
              kl config set-token < token
            """,
        subcommands: [ConfigurationShow.self, ConfigurationSetURL.self, ConfigurationSetToken.self]
    )
}

/// What is in effect, without the token itself.
struct ConfigurationShow: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what is in effect; never the token.", discussion: "Example:\n  kl config show --json"
    )

    @OptionGroup var common: CommonOptions

    private struct Shown: Encodable {
        var url: String
        var file: String
        var hasToken: Bool
        var isInsideWorkspace: Bool
    }

    func run(in context: Context) async throws {
        let access = try context.access()
        let shown = Shown(
            url: access.endpoint.description, file: ConfigurationFile(environment: context.environment).path, hasToken: access.token != nil,
            isInsideWorkspace: access.isInside
        )
        guard !common.json else { return try context.output.json(shown) }
        context.output.table(
            .facts([
                ("url", Table.Cell(shown.url)),
                ("token", Table.Cell(shown.isInsideWorkspace ? "not needed inside a workspace" : shown.hasToken ? "set" : "not set")),
                ("file", Table.Cell(shown.file)),
            ])
        )
    }
}

struct ConfigurationSetURL: Verb {
    static let configuration = CommandConfiguration(
        commandName: "set-url", abstract: "Say where kilnd answers.", discussion: "Example:\n  kl config set-url http://127.0.0.1:7433"
    )

    @Argument(help: "http://HOST:PORT, or unix:///PATH.", transform: { try Endpoint($0) }) var url: Endpoint
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let file = ConfigurationFile(environment: context.environment)
        var configuration = try file.read()
        configuration.url = url.description
        try file.write(configuration)
        context.output.note("kl now asks \(url).")
    }
}

struct ConfigurationSetToken: Verb {
    static let configuration = CommandConfiguration(
        commandName: "set-token", abstract: "Keep a token, read from standard input: arguments are seen by everybody.",
        discussion: "Example:\n  kl config set-token < token"
    )

    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let text: String
        if let ask = context.input.askHidden {
            text = ask("Token: ") ?? ""
        } else {
            text = String(decoding: readAll(context.input.descriptor) ?? [], as: UTF8.self)
        }
        let word = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        let file = ConfigurationFile(environment: context.environment)
        var configuration = try file.read()
        configuration.token = try Configuration.checked(token: word)
        try file.write(configuration)
        context.output.note("The token is kept in \(file.path).")
    }
}
