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

struct MachineCreate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a workmachine with a home of its own.", discussion: "Example:\n  kl machine create second"
    )

    @Argument(help: "Its name: 1 to 63 of a-z, 0-9 and -.", transform: { try Name($0) }) var name: Name
    @OptionGroup var wait: WaitOptions
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient(wait) { client in
            try await context.conclude(
                try await client.create(CreateWorkmachine(name: name)), client, wait, common, pending: "Workmachine \(name) is being made.",
                until: { machine, _ in .ready(machine) }, done: { _ in "Workmachine \(name) is ready." })
        }
    }
}

struct MachineList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the workmachines.", discussion: "Example:\n  kl machine list", aliases: ["ls"]
    )

    @OptionGroup var options: ListOptions<Workmachine.Phase>
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.list(Workmachine.self, options, common, hint: "Make one with: kl machine create NAME") { machines, _ in
            MachineTable.list(machines, now: context.now())
        }
    }
}

struct MachineShow: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a workmachine, its engine, and what packages take there.",
        discussion: "Example:\n  kl machine show local"
    )

    @OptionGroup var machine: MachineArgument
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        try await context.withClient { client in
            let found = try await client.get(Workmachine.self, machine.reference)
            if common.json { return try context.output.json(found) }
            context.output.table(MachineTable.facts(found, now: context.now()))
            do {
                context.output.table(MachineTable.packages(try await client.packageUsage(of: .id(found.metadata.id))))
            } catch let error as KilnError where error.code == .engineUnavailable {
                context.output.note("What packages take is not known: \(error.message)")
            }
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
        try await context.delete(Workmachine.self, machine.reference, called: machine.name, loss: { _ in "everything in its home" }, wait, common)
    }
}
