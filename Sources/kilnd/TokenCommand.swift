internal import ArgumentParser
internal import KilnModel
internal import KilnServer

/// `kilnd token`: for whoever may read kilnd's store; works while kilnd runs.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make, list and revoke bearer tokens.", subcommands: [Create.self, List.self, Revoke.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a token and print it, and nothing else, to stdout. It is shown this once.")

        @OptionGroup var options: InstanceOptions

        @Option(help: "Whose resources it may reach.")
        var owner: String

        @Flag(help: "It may reach everybody's resources.")
        var admin = false

        @Option(help: "What it is for.")
        var label = ""

        func run() async throws {
            print(try await KilnServer.createToken(try options.configuration(), owner: try Name(owner), admin: admin, label: label))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the tokens in force: id, owner, role, label.")

        @OptionGroup var options: InstanceOptions

        func run() async throws {
            for token in try await KilnServer.tokens(try options.configuration()) {
                print("\(token.id)\t\(token.owner)\t\(token.admin ? "admin" : "owner")\t\(token.label)")
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a token; it is refused from then on.")

        @OptionGroup var options: InstanceOptions

        @Argument(help: "The token's id, as `kilnd token list` shows it.")
        var id: String

        func run() async throws { try await KilnServer.revokeToken(try options.configuration(), id: id) }
    }
}
