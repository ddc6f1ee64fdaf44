internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct InterceptStop: Verb {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Give a service's traffic back to the original.",
        discussion: """
            Returns when new connections reach the original. Without a service it ends all intercepts of the workspace.

            Examples:
              kl intercept stop api
              kl i stop --workspace hello
            """
    )

    @Argument(help: "The service; else all.", completion: .intercepts, transform: { try Name($0) }) var service: Name?
    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient { client in
            let asked = try await client.release(reference, StopIntercept(service: service))
            guard !wait.noWait else { return try context.finish(asked, json: common.json, "The traffic is being given back.") }
            let ended = asked.endedIntercepts
            let judge: @Sendable (Workspace) -> Verdict = { .released($0, version: asked.metadata.version) }
            var done = asked
            if judge(asked) != .done { done = try await context.waiter(forInterceptOf: service, client, wait).until(asked, judge) }
            let name = done.metadata.name
            let sentence =
                ended.isEmpty
                ? "Workspace \(name) intercepts nothing\(service.map { " of \($0)" } ?? "")."
                : "Workspace \(name) gave \(ended.map(\.description).joined(separator: ", ")) back."
            try context.finish(done, json: common.json, sentence)
        }
    }
}
