import CommandRunner
import Foundation

/// Runs programs for the tests, and says loudly when one is missing.
enum Program {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    struct Result {
        var status: Int
        var output: String
        var errors: String
    }

    /// Runs to the end, at most `timeout` seconds.
    static func run(
        _ path: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:], timeout: Int = 300
    ) async throws -> Result {
        guard access(path, X_OK) == 0 else { throw Failure(description: "\(path) is missing; run the suite by make test") }
        let command = Command(
            path, arguments, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 }, input: Array((input ?? "").utf8),
            timeout: .seconds(timeout))
        let result = try await SystemCommandRunner().run(command)
        return Result(status: result.status, output: result.outputText, errors: result.errorText)
    }

    /// Runs to the end and throws unless the status is 0.
    @discardableResult
    static func check(_ path: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:]) async throws -> String {
        let result = try await run(path, arguments, input: input, environment: environment)
        guard result.status == 0 else {
            throw Failure(description: "\(path) \(arguments.joined(separator: " ")): status \(result.status)\n\(result.errors)\(result.output)")
        }
        return result.output
    }

    /// Starts a program in a session of its own and in `/`, its output appended to `log`, and returns its process id.
    @discardableResult
    static func start(_ path: String, _ arguments: [String], log: String) async throws -> Int32 {
        let script = #"log=$1; shift; cd /; setsid "$@" >> "$log" 2>&1 < /dev/null & echo $!"#
        let output = try await check("/bin/sh", ["-c", script, "sh", log, path] + arguments)
        guard let process = Int32(output.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Failure(description: "\(path) has no process id")
        }
        return process
    }
}
