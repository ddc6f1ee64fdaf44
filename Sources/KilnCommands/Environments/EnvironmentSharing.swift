internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

/// The other owners a verb is about.
struct GuestOption: ParsableArguments {
    @Option(name: .customLong("with"), help: ArgumentHelp("The other owner; may be repeated.", valueName: "owner"), transform: { try Name($0) })
    var owners: [Name]
}

struct EnvironmentShare: Verb {
    static let configuration = CommandConfiguration(
        commandName: "share", abstract: "Let other owners use an environment.",
        discussion: """
            They may list and see it, connect their workspaces, intercept, and ask what a service runs with (kl intercept env). They may not see
            values of variables otherwise, secrets or logs, nor change, stop, delete or share it.

            Example:
              kl env share shop --with ben
            """
    )

    @OptionGroup var environment: EnvironmentArgument
    @OptionGroup var guests: GuestOption
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let changed = try await client.share(environment.reference, with: guests.owners)
            let full = QualifiedName(owner: changed.metadata.owner, name: changed.metadata.name)
            try context.finish(
                changed, json: common.json,
                "\(guests.owners.map(\.value).joined(separator: ", ")) may use \(environment.name). They connect with: kl env connect \(full)")
        }
    }
}

struct EnvironmentUnshare: Verb {
    static let configuration = CommandConfiguration(
        commandName: "unshare", abstract: "Let other owners use an environment no longer; their workspaces are disconnected.",
        discussion: "Example:\n  kl env unshare shop --with ben"
    )

    @OptionGroup var environment: EnvironmentArgument
    @OptionGroup var guests: GuestOption
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let changed = try await client.unshare(environment.reference, with: guests.owners)
            try context.finish(
                changed, json: common.json, "\(guests.owners.map(\.value).joined(separator: ", ")) may use \(environment.name) no longer.")
        }
    }
}
