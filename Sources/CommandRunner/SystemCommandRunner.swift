import Subprocess

/// Runs programs of this machine.
public struct SystemCommandRunner: CommandRunner {
    public init() {}

    public func run(_ command: Command) async throws -> CommandResult {
        try await withThrowingTaskGroup(of: CommandResult.self) { group in
            group.addTask { try await Self.execute(command) }
            group.addTask {
                try await Task.sleep(for: command.timeout)
                throw CommandError(.timedOut, program: command.program, message: "\(command.program) did not end within \(command.timeout).")
            }
            // Cancelling the program's task kills it.
            defer { group.cancelAll() }
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }

    private static func execute(_ command: Command) async throws -> CommandResult {
        let executable: Executable = command.program.contains("/") ? .path(.init(command.program)) : .name(command.program)
        var environment = Environment.inherit
        if let wanted = command.environment {
            environment = .custom(Dictionary(uniqueKeysWithValues: wanted.map { (Environment.Key(stringLiteral: $0.key), $0.value) }))
        }
        do {
            let result = try await Subprocess.run(
                executable, arguments: Arguments(command.arguments), environment: environment, input: .array(command.input),
                output: .bytes(limit: command.outputLimit), error: .bytes(limit: command.outputLimit))
            return CommandResult(status: result.terminationStatus.number, output: result.standardOutput, errorOutput: result.standardError)
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw CommandError(error, program: command.program)
        }
    }
}

extension TerminationStatus {
    fileprivate var number: Int {
        switch self {
        case .exited(let code): Int(code)
        case .signaled(let signal): 128 + Int(signal)
        }
    }
}

extension CommandError {
    fileprivate init(_ error: SubprocessError, program: String) {
        switch error.code {
        case .executableNotFound: self.init(.notFound, program: program, message: "The program \(program) is not installed.")
        case .outputLimitExceeded: self.init(.tooMuchOutput, program: program, message: "\(program) printed more than is kept.")
        default: self.init(.notStarted, program: program, message: "\(program) could not be run: \(error).")
        }
    }
}
