internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

struct WorkspaceExec: Verb {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a program in a workspace.",
        discussion: """
            It runs as dev in ~/workspaces/NAME. Input, output, the exit status and the signals INT, TERM, HUP, QUIT, USR1 and USR2 pass through.

            Examples:
              kl workspace exec hello -- make test
              echo 'select 1' | kl ws exec hello -- psql -h postgres -U shop
              kl ws exec hello -t -- top
            """
    )

    @OptionGroup var workspace: WorkspaceArgument
    @Flag(name: .shortAndLong, help: "Give the program a terminal.") var tty = false
    @Flag(name: .shortAndLong, help: "Accepted for habit's sake: input always passes through.") var interactive = false
    @Argument(parsing: .postTerminator, help: ArgumentHelp("The program and its arguments, after --.", valueName: "command"))
    var command: [String] = []
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard !command.isEmpty else { throw ValidationError("Give the program after --, like: kl workspace exec \(workspace.name) -- ls") }
    }

    func run(in context: Context) async throws {
        try await SessionRunner.start(command, in: workspace, needsTerminal: tty, context)
    }
}

struct WorkspaceShell: Verb {
    static let configuration = CommandConfiguration(
        commandName: "shell", abstract: "Open a terminal in a workspace.",
        discussion: "Runs the login shell of dev in ~/workspaces/NAME.\n\nExample:\n  kl workspace shell hello"
    )

    @OptionGroup var workspace: WorkspaceArgument
    @OptionGroup var common: CommonOptions

    func run(in context: Context) async throws {
        // Without a terminal the shell reads its commands from standard input, as any shell does.
        let hasTerminal = Terminal(descriptor: context.input.descriptor) != nil
        try await SessionRunner.start([], in: workspace, needsTerminal: hasTerminal, context)
    }
}

extension SessionRunner {
    /// Runs a program and ends as it ended.
    static func start(_ command: [String], in workspace: WorkspaceArgument, needsTerminal: Bool, _ context: Context) async throws {
        let terminal = needsTerminal ? Terminal(descriptor: context.input.descriptor) : nil
        guard !needsTerminal || terminal != nil else {
            throw KilnError(.init("no-terminal", .usage), "Standard input is no terminal, so the program cannot get one.", hint: "Leave out -t.")
        }
        let status = try await context.withClient { client in
            try await SessionRunner(client: client, workspace: workspace.reference, context: context).run(command, terminal: terminal)
        }
        if status != 0 { throw ProgramEnded(status: status) }
    }
}
