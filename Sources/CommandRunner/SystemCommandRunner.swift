import Subprocess

/// Runs programs of this machine.
public struct SystemCommandRunner: CommandRunner {
    public init() {}

    public func run(_ command: Command) async throws -> CommandResult {
        try await withTimeLimit(of: command) { try await execute(command) }
    }

    public func run(_ command: Command, errorLine: @escaping @Sendable (String) async -> Void) async throws -> CommandResult {
        try await withTimeLimit(of: command) { try await execute(command, errorLine: errorLine) }
    }

    private func withTimeLimit(of command: Command, _ body: @escaping @Sendable () async throws -> CommandResult) async throws -> CommandResult {
        try await withThrowingTaskGroup(of: CommandResult.self) { group in
            group.addTask { try await body() }
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

    private func execute(_ command: Command) async throws -> CommandResult {
        try await translatingErrors(of: command) {
            let result = try await Subprocess.run(
                command.executable, arguments: Arguments(command.arguments), environment: command.subprocessEnvironment,
                input: .array(command.input), output: .bytes(limit: command.outputLimit), error: .bytes(limit: command.outputLimit))
            return CommandResult(status: result.terminationStatus.number, output: result.standardOutput, errorOutput: result.standardError)
        }
    }

    private func execute(_ command: Command, errorLine: @escaping @Sendable (String) async -> Void) async throws -> CommandResult {
        try await translatingErrors(of: command) {
            let result = try await Subprocess.run(
                command.executable, arguments: Arguments(command.arguments), environment: command.subprocessEnvironment,
                input: .array(command.input), output: .bytes(limit: command.outputLimit), error: .sequence
            ) { execution in
                var kept: [UInt8] = []
                for try await line in execution.standardError.strings(bufferingPolicy: .unbounded) {
                    if kept.count + line.utf8.count < command.outputLimit { kept += Array(line.utf8) + [UInt8(ascii: "\n")] }
                    await errorLine(line)
                }
                return kept
            }
            return CommandResult(status: result.terminationStatus.number, output: result.standardOutput, errorOutput: result.closureResult)
        }
    }

    private func translatingErrors(of command: Command, _ body: () async throws -> CommandResult) async throws -> CommandResult {
        do {
            return try await body()
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw CommandError(error, program: command.program)
        }
    }
}

extension Command {
    fileprivate var executable: Executable { program.contains("/") ? .path(.init(program)) : .name(program) }

    fileprivate var subprocessEnvironment: Environment {
        guard let environment else { return .inherit }
        return .custom(Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }))
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
