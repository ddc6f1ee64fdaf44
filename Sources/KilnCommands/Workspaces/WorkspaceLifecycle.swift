internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct WorkspaceSuspend: Verb {
    static let configuration = CommandConfiguration(
        commandName: "suspend", abstract: "Take a workspace's container away; its files stay.",
        discussion: """
            Keeps ~, the connection and the address. What was installed outside ~ goes with the container.

            Example:
              kl workspace suspend hello
            """
    )

    @OptionGroup var workspace: WorkspaceArgument
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let asked = try await client.suspend(workspace.reference)
            guard !wait.noWait else { return try context.finish(asked, json: common.json, "Workspace \(workspace.name) is being suspended.") }
            let done = try await context.waiter(for: asked, client, wait).until(asked) { .suspended($0, version: asked.metadata.version) }
            try context.finish(
                done, json: common.json, "Workspace \(workspace.name) is suspended. Wake it with: kl workspace resume \(workspace.name)")
        }
    }
}

struct WorkspaceResume: Verb {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Start a suspended workspace in a fresh container.",
        discussion: "Returns when a command ran in it.\n\nExample:\n  kl workspace resume hello"
    )

    @OptionGroup var workspace: WorkspaceArgument
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let asked = try await client.resume(workspace.reference)
            guard !wait.noWait else { return try context.finish(asked, json: common.json, "Workspace \(workspace.name) is being started.") }
            let done = try await context.waiter(for: asked, client, wait).until(asked) { .running($0, version: asked.metadata.version) }
            try context.finish(done, json: common.json, "Workspace \(workspace.name) is running.")
        }
    }
}

struct WorkspaceDelete: Verb {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a workspace with its folder ~/workspaces/NAME.",
        discussion: "Examples:\n  kl workspace delete hello\n  kl ws rm hello --yes", aliases: ["rm"]
    )

    @OptionGroup var workspace: WorkspaceArgument
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try context.checkCanAsk(common)
        try await context.withClient { client in
            let found = try await client.get(Workspace.self, workspace.reference)
            try context.confirm("Delete workspace \(workspace.name) with everything in ~/workspaces/\(found.metadata.name)", common)
            // By id: a workspace made meanwhile under the same name is not the one that was asked about.
            try await client.delete(.workspace, .id(found.metadata.id))
            guard !wait.noWait else { return try context.finish(found, json: common.json, "Workspace \(workspace.name) is being deleted.") }
            try await context.waiter(for: found, client, wait).untilGone(found) {
                .deleting(phase: $0.status.phase.rawValue, reason: $0.status.reason, isObserved: $0.status.observedVersion > found.metadata.version)
            }
            try context.finish(found, json: common.json, "Workspace \(workspace.name) is deleted.")
        }
    }
}
