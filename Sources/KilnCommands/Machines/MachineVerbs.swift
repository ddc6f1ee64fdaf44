internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct MachineGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Workmachines: what workspaces live on and share a home on.",
        subcommands: [MachineCreate.self, MachineList.self, MachineShow.self, MachineDelete.self]
    )
}

/// The workmachine a verb is about.
struct MachineArgument: ParsableArguments {
    @Argument(help: "The workmachine: [owner/]name.", completion: .machines, transform: { try QualifiedName($0) })
    var name: QualifiedName

    var reference: Reference { .name(name) }
}

extension Context {
    func waiter(for machine: Workmachine, _ client: APIClient, _ options: WaitOptions) -> Waiter {
        Waiter(
            client: client, output: output, limit: options.timeout, subject: "workmachine \(machine.metadata.name)",
            look: "kl machine show \(machine.metadata.name)"
        )
    }
}

struct MachineCreate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a workmachine with a home of its own.", discussion: "Example:\n  kl machine create second"
    )

    @Argument(help: "Its name: 1 to 63 of a-z, 0-9 and -.", transform: { try Name($0) }) var name: Name
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let created = try await client.create(CreateWorkmachine(name: name))
            guard !wait.noWait else { return try context.finish(created, json: common.json, "Workmachine \(name) is being made.") }
            let ready = try await context.waiter(for: created, client, wait).until(created) { .ready($0) }
            try context.finish(ready, json: common.json, "Workmachine \(name) is ready.")
        }
    }
}

struct MachineList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the workmachines.", discussion: "Example:\n  kl machine list", aliases: ["ls"]
    )

    @Flag(name: .shortAndLong, help: "Print names only.") var quiet = false
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let machines = try await client.list(Workmachine.self).sorted { $0.metadata.name < $1.metadata.name }
            if common.json { return try context.output.json(machines) }
            if quiet { return machines.forEach { context.output.line($0.metadata.name.value) } }
            context.output.table(MachineTable.list(machines, now: context.now()))
        }
    }
}

struct MachineShow: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a workmachine and its engine.", discussion: "Example:\n  kl machine show local"
    )

    @OptionGroup var machine: MachineArgument
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let found = try await client.get(Workmachine.self, machine.reference)
            if common.json { return try context.output.json(found) }
            context.output.table(MachineTable.facts(found, now: context.now()))
        }
    }
}

struct MachineDelete: Verb {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a workmachine that hosts nothing any more, with its home.",
        discussion: "Example:\n  kl machine delete second --yes", aliases: ["rm"]
    )

    @OptionGroup var machine: MachineArgument
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try context.checkCanAsk(common)
        try await context.withClient { client in
            let found = try await client.get(Workmachine.self, machine.reference)
            try context.confirm("Delete workmachine \(machine.name) with everything in its home", common)
            try await client.delete(.workmachine, .id(found.metadata.id))
            guard !wait.noWait else { return try context.finish(found, json: common.json, "Workmachine \(machine.name) is being deleted.") }
            try await context.waiter(for: found, client, wait).untilGone(found) {
                .deleting(phase: $0.status.phase.rawValue, reason: $0.status.reason, isObserved: $0.metadata.deletionRequestedAt != nil)
            }
            try context.finish(found, json: common.json, "Workmachine \(machine.name) is deleted.")
        }
    }
}
