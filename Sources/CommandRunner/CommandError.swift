/// A program that ended with an exit status other than 0.
public struct ProgramFailed: Error, Sendable, Hashable, CustomStringConvertible {
    public let command: Command
    public let status: Int
    /// What it printed on standard error.
    public let errorText: String

    public init(command: Command, status: Int, errorText: String) {
        self.command = command
        self.status = status
        self.errorText = errorText
    }

    public var description: String {
        let lines = errorText.split(separator: "\n").suffix(5).joined(separator: " ")
        return "\(command.program) ended with status \(status)\(lines.isEmpty ? "." : ": \(lines)")"
    }
}

/// Why a program did not run to its end.
public struct CommandError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable { case notFound, notStarted, timedOut, tooMuchOutput }

    public let code: Code
    public let program: String
    public let message: String

    public init(_ code: Code, program: String, message: String) {
        self.code = code
        self.program = program
        self.message = message
    }

    public var description: String { message }
}
