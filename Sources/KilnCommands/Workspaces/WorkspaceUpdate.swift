internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct WorkspaceUpdate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change a workspace's limits and variables.",
        discussion: """
            Limits hold at once, except for memory that is in use; variables hold from the next resume on.

            Examples:
              kl workspace update hello --cpus 2 --memory 8G
              kl ws update hello --env STAGE=test --unset DEBUG
            """
    )

    @OptionGroup var workspace: WorkspaceArgument
    @Option(help: ArgumentHelp("CPUs it may use, like 1.5.", valueName: "number"), transform: { try Quantity.milliCPUs($0) }) var cpus: Int?
    @Option(help: ArgumentHelp("Memory it may use, like 4G.", valueName: "size"), transform: { try Quantity.bytes($0) }) var memory: Int?
    @Option(
        name: .customLong("env"), help: ArgumentHelp("A variable to set; may be repeated.", valueName: "KEY=VALUE"),
        transform: { try EnvironmentVariable($0) }
    )
    var variables: [EnvironmentVariable] = []
    @Option(help: ArgumentHelp("A variable to remove; may be repeated.", valueName: "KEY")) var unset: [String] = []
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard cpus != nil || memory != nil || !variables.isEmpty || !unset.isEmpty else {
            throw ValidationError("Nothing to change: give --cpus, --memory, --env or --unset.")
        }
    }

    func run(in context: Context) async throws {
        try await context.withClient(wait) { client in
            let found = try await client.get(Workspace.self, workspace.reference)
            let changed = variables.isEmpty && unset.isEmpty ? nil : Self.merge(found.spec.variables, set: variables, unset: unset)
            let updated = try await client.update(
                .id(found.metadata.id),
                UpdateWorkspace(version: found.metadata.version, milliCPUs: cpus, memory: memory, variables: changed)
            )
            let later = changed == nil ? "" : " Its variables hold from the next resume on: kl workspace suspend \(workspace.name), then resume."
            try await context.conclude(
                updated, client, wait, common, pending: "Workspace \(workspace.name) is being changed.\(later)", until: { .changed($0, version: $1) },
                done: { _ in "Workspace \(workspace.name) is changed.\(later)" })
        }
    }

    /// `old` without `unset`, `set` in the place of what had the same key, new ones at the end.
    static func merge(_ old: [EnvironmentVariable], set: [EnvironmentVariable], unset: [String]) -> [EnvironmentVariable] {
        set.reduce(into: old.filter { !unset.contains($0.key) }) { list, variable in
            if let index = list.firstIndex(where: { $0.key == variable.key }) { list[index] = variable } else { list.append(variable) }
        }
    }
}
