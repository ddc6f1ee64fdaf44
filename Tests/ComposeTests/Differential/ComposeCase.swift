import Compose
import Foundation
import Testing

/// A project below `Files`: a file, or a folder with `compose.yaml`. Comments in it say how it is read: `# files:`, `# profiles:`, `# variables:`.
struct ComposeCase: CustomTestStringConvertible, Sendable {
    let name: String
    let folder: String
    private let file: String

    static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Files").path

    static let all: [ComposeCase] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().map { name in
            name.hasSuffix(".yaml")
                ? ComposeCase(name: name, folder: directory, file: name)
                : ComposeCase(name: name, folder: "\(directory)/\(name)", file: "compose.yaml")
        }
    }()

    private init(name: String, folder: String, file: String) {
        self.name = name
        self.folder = folder
        self.file = file
    }

    var testDescription: String { name }

    private func words(_ key: String) throws -> [String] {
        let line = try text(file).split(separator: "\n").first { $0.hasPrefix("# \(key): ") }
        return line?.dropFirst(key.count + 4).split(separator: " ").map(String.init) ?? []
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8) }

    var files: [String] { get throws { try words("files").isEmpty ? [file] : words("files") } }
    var profiles: [String] { get throws { try words("profiles") } }

    /// The variables that both readers find around them.
    var variables: [String: String] {
        get throws {
            Dictionary(
                uniqueKeysWithValues: try words("variables").map { word in
                    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                    return (parts[0], parts[1])
                })
        }
    }

    /// What Kiln reads, whatever the files refer to included.
    func read() throws -> ComposeProject { try ComposeFile.read(input()) }

    /// The files with everything that they refer to.
    func input() throws -> ComposeInput {
        var input = ComposeInput(
            files: try files.map { .init(path: $0, text: try text($0)) }, variables: try variables, profiles: Set(try profiles), directory: folder)
        if let variables = try? text(".env") { input.texts[".env"] = variables }
        while true {
            let project = try ComposeFile.read(input)
            guard !project.needs.isEmpty else { return input }
            for need in project.needs {
                if let text = try? text(need.path) { input.texts[need.path] = text } else { input.absent.insert(need.path) }
            }
        }
    }

    /// What the reference reads, as JSON.
    func reference(_ program: String) throws -> JSONTree {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = try profiles.flatMap { ["--profile", $0] } + files.flatMap { ["-f", $0] } + ["config", "--format", "json"]
        process.currentDirectoryURL = URL(filePath: folder)
        process.environment = ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent"].merging(try variables) { $1 }
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "the reference refuses \(name): \(complaint)")
        return try JSONTree.parse(text.replacing("\"\(folder)/", with: "\"./").replacing("\"\(folder)\"", with: "\".\""))
    }
}
