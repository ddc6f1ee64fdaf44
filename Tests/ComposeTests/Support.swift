import Compose
import KilnModel
import Testing

/// Reads `text` as “compose.yaml”.
func read(_ text: String, variables: [String: String] = [:]) throws -> ComposeProject {
    try ComposeFile.read(text: text, file: "compose.yaml", variables: variables)
}

/// Reads `text` and hands in what it asks for: a digest for every context, the given environment files.
func services(
    _ text: String, variables: [String: String] = [:], environmentFiles: [String: String] = [:], keeping existing: [Service] = []
) throws -> [Service] {
    let project = try read(text, variables: variables)
    let digest = try ContentDigest(String(repeating: "a", count: 64))
    let contexts = Dictionary(uniqueKeysWithValues: project.contexts.map { ($0, digest) })
    return try project.services(contexts: contexts, environmentFiles: environmentFiles, keeping: existing)
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
        _ = try ComposeFile.read(text: text, file: "compose.yaml", variables: variables)
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
