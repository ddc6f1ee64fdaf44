internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct WorkspaceLogs: Verb {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what a workspace's container printed.",
        discussion: "Examples:\n  kl workspace logs hello --tail 50\n  kl ws logs hello --follow"
    )

    @OptionGroup var workspace: WorkspaceArgument
    @OptionGroup var log: LogOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let printer = LogPrinter(output: context.output, json: common.json, timestamps: log.timestamps)
        try await context.withClient { client in
            try await client.logs(
                of: .workspace, workspace.reference, follow: log.follow, since: log.since?.time(now: context.now()), tail: log.tail
            ) { try printer.print($0) }
        }
    }
}
