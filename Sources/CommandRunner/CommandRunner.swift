/// Runs programs. Never through a shell: a program gets its arguments as they are.
public protocol CommandRunner: Sendable {
    /// Runs `command` to its end and returns what it printed, whatever its exit status.
    /// - Throws: `CommandError` when it cannot be started, prints too much or exceeds its time limit.
    func run(_ command: Command) async throws -> CommandResult

    /// As `run(_:)`, and hands over each line of standard error, without its end, as it comes.
    func run(_ command: Command, errorLine: @escaping @Sendable (String) async -> Void) async throws -> CommandResult
}

extension CommandRunner {
    /// For a runner that knows all only at the end.
    public func run(_ command: Command, errorLine: @escaping @Sendable (String) async -> Void) async throws -> CommandResult {
        let result = try await run(command)
        for line in result.errorText.split(separator: "\n") { await errorLine(String(line)) }
        return result
    }

    /// Runs a program that has to succeed.
    /// - Returns: what it printed on standard output.
    /// - Throws: `ProgramFailed` when its exit status is not 0; `CommandError` as `run(_:)`.
    @discardableResult
    public func succeed(_ command: Command) async throws -> String {
        let result = try await run(command)
        guard result.status == 0 else { throw ProgramFailed(command: command, status: result.status, errorText: result.errorText) }
        return result.outputText
    }

    /// Runs a program, found by name on the PATH or by its path, that has to succeed.
    @discardableResult
    public func succeed(_ program: String, _ arguments: [String]) async throws -> String {
        try await succeed(Command(program, arguments))
    }
}

/// A program and how to run it.
public struct Command: Sendable, Hashable {
    /// A name on the PATH, or a path.
    public var program: String
    public var arguments: [String]
    /// Replaces the environment; nil inherits it.
    public var environment: [String: String]?
    /// Written to standard input, which is empty otherwise.
    public var input: [UInt8]
    /// After which the program is killed.
    public var timeout: Duration
    /// Most bytes of standard output, and of standard error, that are kept.
    public var outputLimit: Int

    public init(
        _ program: String, _ arguments: [String] = [], environment: [String: String]? = nil, input: [UInt8] = [], timeout: Duration = .seconds(60),
        outputLimit: Int = 4 << 20
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.input = input
        self.timeout = timeout
        self.outputLimit = outputLimit
    }
}

/// What a program did.
public struct CommandResult: Sendable, Hashable {
    /// Exit status 0 to 255; 128 + N for a program ended by signal N.
    public var status: Int
    public var output: [UInt8]
    public var errorOutput: [UInt8]

    public init(status: Int, output: [UInt8] = [], errorOutput: [UInt8] = []) {
        self.status = status
        self.output = output
        self.errorOutput = errorOutput
    }

    public var outputText: String { String(decoding: output, as: UTF8.self) }
    public var errorText: String { String(decoding: errorOutput, as: UTF8.self) }
}
