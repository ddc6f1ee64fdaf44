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

    /// The text of a file, to its end. Foundation stops at the first page of one in /proc, whose size is said to be 0.
    static func text(_ path: String) throws -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure(description: "\(path) cannot be opened: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count >= 0 else { throw Failure(description: "\(path) cannot be read: \(String(cString: strerror(errno)))") }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
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
