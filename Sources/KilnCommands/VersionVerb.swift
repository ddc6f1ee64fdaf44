internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct VersionVerb: Verb {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the versions of kl and of the server.", discussion: "Examples:\n  kl version\n  kl version --client"
    )

    @Flag(help: "Do not ask the server.") var client = false
    @OptionGroup var common: CommonOptions

    private struct Versions: Encodable {
        var client: String
        var server: String?
    }

    func run(in context: Context) async throws {
        var versions = Versions(client: KilnVersion.current)
        if !client {
            do {
                versions.server = try await context.withClient { try await $0.session().version }
            } catch {
                // The client's version is known and wanted just when the server does not answer.
                try print(versions, context)
                throw error
            }
        }
        try print(versions, context)
    }

    private func print(_ versions: Versions, _ context: Context) throws {
        guard !common.json else { return try context.output.json(versions) }
        context.output.line("kl \(versions.client)")
        if let server = versions.server { context.output.line("kilnd \(server)") }
    }
}
