internal import ArgumentParser
internal import FoundationEssentials
internal import KilnAPI
internal import KilnModel

struct TokenGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Bearer tokens: who may sign in; for admins.",
        subcommands: [TokenCreate.self, TokenList.self, TokenRevoke.self]
    )
}

struct TokenCreate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a token and print it. It is shown this once.",
        discussion: "Whoever has it signs in with: kl config set-token\n\nExample:\n  kl token create --owner ben --label laptop"
    )

    @Option(help: ArgumentHelp("Whose resources it reaches.", valueName: "name"), transform: { try Name($0) }) var owner: Name
    @Flag(help: "It reaches everybody's.") var admin = false
    @Option(help: ArgumentHelp("What it is for.", valueName: "text")) var label = ""
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let made = try await client.createToken(CreateToken(owner: owner, admin: admin, label: label))
            try context.finish(made, json: common.json, made.text)
        }
    }
}

struct TokenList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the tokens in force, without their texts.", discussion: "Example:\n  kl token list --owner ben",
        aliases: ["ls"]
    )

    @Option(help: ArgumentHelp("Only this owner's.", valueName: "name"), transform: { try Name($0) }) var owner: Name?
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let tokens = try await client.tokens(of: owner)
            if common.json { return try context.output.json(tokens) }
            var table = Table(header: ["ID", "OWNER", "ROLE", "MADE", "USED", "LABEL"])
            table.rows = tokens.map { token in
                [
                    Table.Cell(token.id), Table.Cell(token.owner.value), Table.Cell(token.admin ? "admin" : "owner"),
                    Table.Cell("\(Show.since(token.createdAt, now: context.now())) ago"),
                    Table.Cell(token.lastUsedAt.map { "\(Show.since($0, now: context.now())) ago" } ?? "never"), Table.Cell(token.label.printable()),
                ]
            }
            context.output.table(table)
        }
    }
}

struct TokenRevoke: Verb {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Refuse a token from now on.", discussion: "Example:\n  kl token revoke 0123456789"
    )

    @Argument(help: "Its id, as kl token list shows it.", transform: { try ResourceID($0) }) var id: ResourceID
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try context.checkCanAsk(common)
        try context.confirm("Revoke the token \(id)", common)
        try await context.withClient { client in
            try await client.revokeToken(id.value)
            try context.finish(["revoked": id.value], json: common.json, "The token \(id) is refused from now on.")
        }
    }
}
