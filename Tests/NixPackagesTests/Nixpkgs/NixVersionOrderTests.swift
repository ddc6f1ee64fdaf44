import CommandRunner
import FileWork
import FoundationEssentials
import Testing

@testable import NixPackages

struct NixVersionOrderTests {
    /// Nix itself is asked.
    @Test func `Versions are ordered as Nix orders them`() async throws {
        var random = SeededGenerator(seed: 7)
        let parts = ["1", "2", "10", "0", "03", "a", "b", "pre", "rc1", "2a", "alpha", ""]
        func version() -> String {
            (0..<Int.random(in: 1...4, using: &random)).map { _ in parts.randomElement(using: &random)! }
                .joined(separator: [".", "-", ""].randomElement(using: &random)!)
        }
        let pairs = (0..<500).map { _ in [version(), version()] } + [["20.11.1", "20.9"], ["2.3pre1", "2.3"], ["1.0", "1.0"]]
        let answers: [Int] = try await withTemporaryFolder { folder in
            let file = "\(folder)/compare.nix"
            let text = "{ pairs }: map (p: builtins.compareVersions (builtins.elemAt p 0) (builtins.elemAt p 1)) (builtins.fromJSON pairs)"
            try TrustedFiles.replace(file, with: text)
            let json = String(decoding: try JSONEncoder().encode(pairs), as: UTF8.self)
            let output = try await SystemCommandRunner().succeed(
                "nix-instantiate", ["--eval", "--strict", "--json", file, "--argstr", "pairs", json])
            return try JSONDecoder().decode([Int].self, from: Data(output.utf8))
        }
        for (pair, answer) in zip(pairs, answers) {
            let (one, other) = (NixVersionOrder(pair[0]), NixVersionOrder(pair[1]))
            #expect((one < other ? -1 : other < one ? 1 : 0) == answer, "\(pair)")
        }
        #expect(answers.count == pairs.count)
    }
}
