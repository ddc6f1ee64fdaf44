import FileWork
import FoundationEssentials
import KilnModel

/// Builds recipes with Nix.
struct DebianBuilds: Sendable {
    /// What `make up` installed: `derivations.nix` and `builder/`.
    let program: String
    let nix: Nix

    /// The host's programs, which the builder uses: nothing else of the host is seen in the sandbox.
    private static let visible = ["/bin", "/usr", "/lib", "/lib64"]

    /// Puts the builder into the store.
    /// - Returns: its path, on which those of all recipes made with it hang.
    func addBuilder() async throws -> StorePath {
        guard TrustedFiles.exists("\(program)/builder/build.py"), TrustedFiles.exists("\(program)/builder/redirect.so") else {
            throw KilnError(.engineFailed, "\(program) lacks what builds Debian packages.", hint: "Run make up again.")
        }
        let path = try await nix.run(.store, ["--add", "\(program)/builder"])
        return try StorePath(path.split(separator: "\n").last.map(String.init) ?? "")
    }

    /// Those of the paths that the store does not have.
    func missing(_ paths: [StorePath]) async throws -> Set<StorePath> {
        let told = try await nix.run(.store, ["--check-validity", "--print-invalid"] + Array(Set(paths)).map(\.value))
        return Set(try told.split(separator: "\n").map { line throws(KilnError) in try StorePath(String(line)) })
    }

    /// Builds what is not there; all that it reads must be.
    /// - Parameter folder: where to write what Nix reads.
    func build(_ recipes: [DebianRecipe], folder: String, progress: @escaping @Sendable (PackageProgress) async -> Void) async throws {
        let input = "\(folder)/\(String(UInt64.random(in: .min ... .max), radix: 36)).json"
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try TrustedFiles.makeDirectories(folder, mode: 0o755)
        try TrustedFiles.replace(input, with: Array(encoder.encode(recipes.map { Input(derivation: $0.derivation) })))
        defer { try? TrustedFiles.remove(input) }
        let options = ["sandbox-paths": Self.visible.filter(TrustedFiles.exists).joined(separator: " "), "substituters": ""]
        let arguments = ["--no-out-link", "--keep-going", "\(program)/derivations.nix", "--argstr", "file", input]
        do {
            let told = try await nix.run(.build, arguments, options: options, timeout: .seconds(7200), progress: progress)
            let expected = try Set(recipes.map { recipe throws(KilnError) in try recipe.storePath().value })
            guard expected.isSubset(of: told.split(separator: "\n").map(String.init)) else {
                throw KilnError(.packageFailed, "Nix built other paths than were locked.", hint: "Run make up again, then kl pkg update.")
            }
        } catch let error as KilnError where error.code == .packageFailed {
            throw recipes.count == 1 ? Self.explained(error, name: recipes[0].derivation.name) : error
        }
    }

    /// The builder's own word on what it cannot do, where there is one.
    static func explained(_ error: KilnError, name: String) -> KilnError {
        guard let mark = error.message.firstRange(of: "refused: ") else { return error }
        // Errors show line ends as `\n`.
        let rest = error.message[mark.upperBound...]
        let reason = rest[..<(rest.firstRange(of: "\\n")?.lowerBound ?? rest.endIndex)].prefix { !$0.isNewline }
        return KilnError(
            .packageFailed, "\(name) from Debian cannot be offered: \(reason).", hint: "apt-get install puts it into this workspace alone.")
    }

    /// The arguments of Nix's `derivation`, with what it reads as `sources`.
    private struct Input: Encodable {
        var derivation: NixDerivation

        private struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            for (name, value) in derivation.environment { try container.encode(value, forKey: Key(stringValue: name)) }
            try container.encode(derivation.name, forKey: Key(stringValue: "name"))
            try container.encode(derivation.system, forKey: Key(stringValue: "system"))
            try container.encode(derivation.builder, forKey: Key(stringValue: "builder"))
            try container.encode(derivation.arguments, forKey: Key(stringValue: "args"))
            try container.encode(derivation.outputs, forKey: Key(stringValue: "outputs"))
            try container.encode(derivation.sources, forKey: Key(stringValue: "sources"))
        }
    }
}
