internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

/// The root of the command tree.
struct Kl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kl",
        abstract: "Personal dev containers that see their services by name.",
        discussion: """
            Examples:
              kl workspace create hello
              kl env create shop --file compose.yaml
              kl env connect shop --workspace hello
              kl intercept start api --port 8080:3000 --workspace hello
              kl pkg add jq nodejs@20 --workspace hello
              kl workspace shell hello
            """,
        version: KilnVersion.current,
        subcommands: [
            WorkspaceGroup.self, EnvironmentGroup.self, InterceptGroup.self, PackageGroup.self, MachineGroup.self, StatusVerb.self,
            ConfigurationGroup.self, TokenGroup.self, AuditVerb.self, DoctorVerb.self, CompletionVerb.self, VersionVerb.self,
        ]
    )
}

/// Runs `kl`.
public enum KlProgram {
    /// Parses `arguments` (without the program's name), runs the verb, says what went wrong.
    /// - Returns: the exit status.
    public static func run(_ arguments: [String], in context: Context) async -> Int32 {
        do {
            if let verb = namedVerb(arguments) {
                try await verb.run(in: context)
            } else {
                try checkWords(arguments.first == "help" ? arguments.dropFirst() : arguments[...])
                var command = try Kl.parseAsRoot(arguments)
                if let verb = command as? any Verb { try await verb.run(in: context) } else { try command.run() }
            }
            return ExitStatus.done
        } catch {
            return report(error, to: context.output)
        }
    }

    /// Whether there is what the first words name. The parser would answer a wrong word after `help` with the help of what is above it, and success.
    /// - Throws: `unknown-command`, with those that there are.
    private static func checkWords(_ words: ArraySlice<String>) throws(KilnError) {
        var command: any ParsableCommand.Type = Kl.self
        var path = "kl"
        for word in words where !command.configuration.subcommands.isEmpty {
            guard !word.hasPrefix("-") else { return }
            guard let next = command.configuration.subcommands.first(where: { $0.isNamed(word) }) else {
                let names = command.configuration.subcommands.compactMap { $0.configuration.commandName }.joined(separator: ", ")
                throw KilnError(
                    .unknownCommand, "There is no “\(path) \(word.printable(limit: 40))”. There is: \(names).", hint: "\(path) --help")
            }
            command = next
            path += " \(word)"
        }
    }

    /// The verb that the first words name, parsed by itself: parsing the whole tree of commands takes as long as the work of a verb. Help and
    /// misuse are left to the tree, which alone can tell of them with the full name.
    private static func namedVerb(_ arguments: [String]) -> (any Verb)? {
        var command: any ParsableCommand.Type = Kl.self
        var rest = arguments[...]
        while let word = rest.first, let next = command.configuration.subcommands.first(where: { $0.isNamed(word) }) {
            command = next
            rest = rest.dropFirst()
        }
        guard let verb = command as? any Verb.Type else { return nil }
        do { return try parseAlone(verb, Array(rest)) } catch { return nil }
    }

    private static func parseAlone<Named: Verb>(_ verb: Named.Type, _ arguments: [String]) throws -> (any Verb)? {
        (try Alone<Named>.parseAsRoot(arguments) as? Alone<Named>)?.verb
    }

    /// A verb as the whole of a program that another one stands above: which spares it being parsed twice more, as flags of a root.
    private struct Alone<Named: Verb>: ParsableCommand {
        static var configuration: CommandConfiguration { CommandConfiguration(_superCommandName: "kl") }

        @OptionGroup var verb: Named
    }

    private static func report(_ error: any Error, to output: Output) -> Int32 {
        switch error {
        case let error as KilnError:
            output.note(error)
            return ExitStatus.of(error.code.category)
        case let error as ProgramEnded:
            return error.status
        case let error as Interrupted:
            output.note(error.message)
            return ExitStatus.interrupted
        default:
            return report(argumentError: error, to: output)
        }
    }

    /// What the argument parser throws: help that was asked for, or a misuse.
    private static func report(argumentError error: any Error, to output: Output) -> Int32 {
        let text = Kl.fullMessage(for: error)
        switch Kl.exitCode(for: error) {
        case .success:
            output.line(text)
            return ExitStatus.done
        case .validationFailure:
            output.note(text.hasPrefix("Error:") ? "error:\(text.dropFirst(6))" : text)
            return ExitStatus.usage
        default:
            output.note("error: \(error)")
            return 1
        }
    }
}

extension ParsableCommand {
    fileprivate static func isNamed(_ word: String) -> Bool { configuration.commandName == word || configuration.aliases.contains(word) }
}
