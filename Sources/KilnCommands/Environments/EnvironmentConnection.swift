internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct EnvironmentConnect: Verb {
    static let configuration = CommandConfiguration(
        commandName: "connect", abstract: "Let a workspace see an environment's services by name.",
        discussion: """
            Returns when a name resolved and a connection was open. A connection to another environment ends.

            Examples:
              kl env connect shop
              kl env connect shop --workspace hello
            """
    )

    @OptionGroup var environment: EnvironmentArgument
    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient(wait) { client in
            let asked = try await client.connect(reference, to: environment.name)
            guard !wait.noWait else { return try context.finish(asked, json: common.json, "\(environment.name) is being connected.") }
            guard let target = asked.spec.connection else {
                throw KilnError(.internalError, "kilnd took the connection and did not note it.", hint: "kl version")
            }
            let done = try await context.waiter(for: asked, client, wait).until(asked) { .connected($0, to: target, version: asked.metadata.version) }
            let sentence =
                done.status.phase == .suspended
                ? "Workspace \(done.metadata.name) is suspended; it connects to \(environment.name) when it is resumed."
                : "Workspace \(done.metadata.name) is connected to \(environment.name)."
            try context.finish(done, json: common.json, sentence)
        }
    }
}

struct EnvironmentDisconnect: Verb {
    static let configuration = CommandConfiguration(
        commandName: "disconnect", abstract: "End a workspace's connection; its open sockets end with it.",
        discussion: "Examples:\n  kl env disconnect\n  kl env disconnect --workspace hello"
    )

    @OptionGroup var workspace: WorkspaceOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient(wait) { client in
            let asked = try await client.disconnect(reference)
            guard !wait.noWait else { return try context.finish(asked, json: common.json, "The connection is being ended.") }
            let done = try await context.waiter(for: asked, client, wait).until(asked) { .disconnected($0, version: asked.metadata.version) }
            try context.finish(done, json: common.json, "Workspace \(done.metadata.name) is not connected.")
        }
    }
}

struct EnvironmentStatus: Verb {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the services of the environment a workspace is connected to.",
        discussion: "Examples:\n  kl env status\n  kl env status --workspace hello --json"
    )

    @OptionGroup var workspace: WorkspaceOption
    @Flag(name: .shortAndLong, help: "Print the services' names only.") var quiet = false
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        let reference = try workspace.reference(in: context)
        try await context.withClient { client in
            let report = try await client.report(on: reference)
            if common.json { return try context.output.json(report) }
            if quiet { return report.environment?.spec.services.forEach { context.output.line($0.name.value) } ?? () }
            guard let environment = report.environment else {
                return context.output.line("Workspace \(report.workspace.metadata.name) is not connected. Connect it with: kl env connect NAME")
            }
            context.output.table(ServiceTable.head(environment, now: context.now()))
            let connection = report.workspace.status.connection
            if connection?.phase != .connected {
                let reason = connection?.reason.map { ": \($0.message)" } ?? ""
                context.output.line("connection   not there yet\(reason)")
            }
            ServiceTable.print(environment, to: context)
            InterceptTable.print(report.intercepts, to: context)
        }
    }
}
