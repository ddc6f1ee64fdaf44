internal import KilnAPI
internal import KilnModel

extension SessionRunner {
    /// Runs a program and ends as it ended.
    static func start(_ command: [String], in place: SessionPlace, needsTerminal: Bool, _ context: Context) async throws {
        let terminal = needsTerminal ? Terminal(descriptor: context.input.descriptor) : nil
        guard !needsTerminal || terminal != nil else {
            throw KilnError(.init("no-terminal", .usage), "Standard input is no terminal, so the program cannot get one.", hint: "Leave out -t.")
        }
        let status = try await context.withClient { client in
            try await SessionRunner(client: client, place: place, context: context).run(command, terminal: terminal)
        }
        if status != 0 { throw ProgramEnded(status: status) }
    }
}

extension Context {
    /// Whether a program can be given a terminal. A shell without one reads its commands from standard input, as any shell does.
    var hasTerminal: Bool { Terminal(descriptor: input.descriptor) != nil }
}
