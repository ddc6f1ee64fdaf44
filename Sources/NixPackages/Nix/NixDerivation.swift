import KilnModel

/// A build as Nix keeps it, of which the paths of the results are known before anything is built, and without asking Nix.
///
/// It reads store paths alone, no results of other derivations: what it needs is put into the store before. That makes one build of what would
/// otherwise be hundreds.
struct NixDerivation: Sendable, Hashable, Codable {
    var name: String
    /// `x86_64-linux`.
    var system: String
    /// The program that builds.
    var builder: String
    var arguments: [String]
    /// What the builder sees beside the paths of the results.
    var environment: [String: String]
    /// Names of the results; `out` is the one that counts.
    var outputs: [String]
    /// What the build reads.
    var sources: [StorePath]

    /// Where a result will be.
    func path(of output: String) throws(KilnError) -> StorePath {
        try NixHash.path(type: "output:\(output)", digest: NixHash.hexadecimal(of: term), name: output == "out" ? name : "\(name)-\(output)")
    }

    /// All that Nix's `derivation` puts into the environment.
    private var fullEnvironment: [String: String] {
        var full = environment
        full["name"] = name
        full["system"] = system
        full["builder"] = builder
        full["outputs"] = outputs.joined(separator: " ")
        // The paths themselves hang on the hash, so they are left blank in what is hashed.
        for output in outputs { full[output] = "" }
        return full
    }

    /// The text that is hashed (`libstore/derivations.cc`, `Derivation::unparse` with masked outputs).
    private var term: String {
        let outputs = self.outputs.sorted().map { "(\(Self.quoted($0)),\"\",\"\",\"\")" }
        let sources = Set(self.sources.map(\.value)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map(Self.quoted)
        let variables = fullEnvironment.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { "(\(Self.quoted($0.key)),\(Self.quoted($0.value)))" }
        let parts = [
            Self.list(outputs), "[]", Self.list(sources), Self.quoted(system), Self.quoted(builder), Self.list(arguments.map(Self.quoted)),
            Self.list(variables),
        ]
        return "Derive(\(parts.joined(separator: ",")))"
    }

    private static func list(_ items: [String]) -> String { "[\(items.joined(separator: ","))]" }

    private static func quoted(_ text: String) -> String {
        var result: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): result += Array("\\n".utf8)
            case UInt8(ascii: "\r"): result += Array("\\r".utf8)
            case UInt8(ascii: "\t"): result += Array("\\t".utf8)
            default: result.append(byte)
            }
        }
        result.append(UInt8(ascii: "\""))
        return String(decoding: result, as: UTF8.self)
    }
}
