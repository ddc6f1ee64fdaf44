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
        let name = workspace.name
        try await context.withClient(wait) { client in
            try await context.conclude(
                try await client.suspend(workspace.reference), client, wait, common, pending: "Workspace \(name) is being suspended.",
                until: { .suspended($0, version: $1) },
                done: { _ in "Workspace \(name) is suspended. Wake it with: kl workspace resume \(name)" })
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
        let name = workspace.name
        try await context.withClient(wait) { client in
            try await context.conclude(
                try await client.resume(workspace.reference), client, wait, common, pending: "Workspace \(name) is being started.",
                until: { .running($0, version: $1) }, done: { _ in "Workspace \(name) is running." })
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
        try await context.delete(
            Workspace.self, workspace.reference, called: workspace.name, loss: { "everything in ~/workspaces/\($0.metadata.name)" }, wait, common)
    }
}
