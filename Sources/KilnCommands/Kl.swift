internal import ArgumentParser
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
              kl workspace shell hello
            """,
        subcommands: [
            WorkspaceGroup.self, EnvironmentGroup.self, InterceptGroup.self, MachineGroup.self, StatusVerb.self, ConfigurationGroup.self,
            DoctorVerb.self, CompletionVerb.self, VersionVerb.self,
        ]
    )
}

/// Runs `kl`.
public enum KlProgram {
    /// Parses `arguments` (without the program's name), runs the verb, says what went wrong.
    /// - Returns: the exit status.
    public static func run(_ arguments: [String], in context: Context) async -> Int32 {
        do {
            var command = try Kl.parseAsRoot(arguments)
            if let verb = command as? any Verb { try await verb.run(in: context) } else { try command.run() }
            return ExitStatus.done
        } catch {
            return report(error, to: context.output)
        }
    }

    private static func report(_ error: any Error, to output: Output) -> Int32 {
        switch error {
        case let error as KilnError:
            let label = output.error.hasColours ? Table.Style.bad.paint("error:") : "error:"
            output.note("\(label) \(error.message)")
            if let hint = error.hint { output.note("  try: \(hint)") }
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
