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
        try await SessionRunner.start(command, in: .workspace(workspace.reference), needsTerminal: tty, context)
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
        try await SessionRunner.start([], in: .workspace(workspace.reference), needsTerminal: context.hasTerminal, context)
    }
}
