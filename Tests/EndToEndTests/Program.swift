import Foundation

/// Runs programs for the tests, and says loudly when one is missing.
enum Program {
    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Runs to the end, at most `timeout` seconds.
    static func run(
        _ path: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:], timeout: Double = 300
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Swift.Result { try runBlocking(path, arguments, input: input, environment: environment, timeout: timeout) })
            }
        }
    }

    private static func runBlocking(_ path: String, _ arguments: [String], input: String?, environment: [String: String], timeout: Double) throws
        -> Result
    {
        guard FileManager.default.isExecutableFile(atPath: path) else { throw Failure(description: "\(path) is missing; run the suite by make test") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-program-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let files = ["in", "out", "err"].map { directory.appendingPathComponent($0) }
        try Data((input ?? "").utf8).write(to: files[0])
        for file in files.dropFirst() { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        if ended.wait(timeout: .now() + timeout) == .timedOut {
            kill(process.processIdentifier, SIGKILL)
            throw Failure(description: "\(path) \(arguments.joined(separator: " ")) did not end within \(timeout) s")
        }
        return Result(
            status: process.terminationStatus, output: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: files[2]), as: UTF8.self))
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
}
