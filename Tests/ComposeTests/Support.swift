import Compose
import KilnModel
import Testing

/// Reads `text` as “compose.yaml”.
func read(
    _ text: String, variables: [String: String] = [:], texts: [String: String] = [:], absent: Set<String> = [], secrets: [String] = [],
    profiles: Set<String> = [], file: String = "compose.yaml"
) throws -> ComposeProject {
    try ComposeFile.read(
        ComposeInput(
            files: [.init(path: file, text: text)], texts: texts, absent: absent, variables: variables, profiles: profiles,
            secrets: Set(secrets.map { try SecretName($0) })))
}

/// Reads files that come over each other.
func read(files: [(path: String, text: String)], texts: [String: String] = [:], variables: [String: String] = [:]) throws -> ComposeProject {
    try ComposeFile.read(
        ComposeInput(files: files.map { .init(path: $0.path, text: $0.text) }, texts: texts, variables: variables, profiles: ["*"]))
}

let someDigest = try! ContentDigest(String(repeating: "a", count: 64))

/// The services of a project to which everything is handed in.
func services(of project: ComposeProject, keeping existing: [Service] = []) throws -> [Service] {
    #expect(project.needs.isEmpty, "\(project.needs)")
    return try project.services(
        contexts: Dictionary(uniqueKeysWithValues: project.contexts.map { ($0, someDigest) }),
        copies: Dictionary(
            uniqueKeysWithValues: project.copies.map { ($0.path, FileCopy(origin: ProjectPath.normal($0.path), kind: .folder, digest: someDigest)) }),
        keeping: existing)
}

/// Reads `text` and hands in what it asks for: a digest for every context, the given environment files.
func services(
    _ text: String, variables: [String: String] = [:], environmentFiles: [String: String] = [:], keeping existing: [Service] = []
) throws -> [Service] {
    let known = Set(try read(text, variables: variables, texts: environmentFiles).needs.map(\.path))
    return try services(of: read(text, variables: variables, texts: environmentFiles, absent: known), keeping: existing)
}

/// A file with one service “web” whose keys are `body`, indented by four spaces; `body` begins on line 4.
func web(_ body: String, top: String = "") -> String {
    let lines = body.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }.joined(separator: "\n")
    return "services:\n  web:\n    image: web\n\(lines)\n\(top)\n"
}

/// The service of `web(body)`.
func webService(_ body: String, top: String = "", variables: [String: String] = [:], environmentFiles: [String: String] = [:]) throws -> Service {
    try #require(try services(web(body, top: top), variables: variables, environmentFiles: environmentFiles).first)
}

/// The findings that reading `text` fails with; empty when it does not fail.
func findings(_ text: String, variables: [String: String] = [:]) -> [ComposeFinding] {
    do {
        let input = ComposeInput(files: [.init(path: "compose.yaml", text: text)], variables: variables)
        let needs = try ComposeFile.read(input).needs
        guard !needs.isEmpty else { return [] }
        var whole = input
        whole.texts = Dictionary(uniqueKeysWithValues: needs.map { ($0.path, "") })
        _ = try ComposeFile.read(whole)
        return []
    } catch {
        return error.findings
    }
}

/// A small generator with a seed, so that a failing run can be run again (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
