import FoundationEssentials
import KilnModel

/// What a search service says of one version of a package, as far as it is needed (`/v2/resolve`). Nothing of it is believed before it was
/// parsed; a store path counts only with the signature of a cache.
struct ServiceResolution: Sendable, Hashable {
    var version: PackageVersion
    /// The commit of nixpkgs that has it: 40 hex digits.
    var revision: String
    /// Its path in nixpkgs, with the output that holds the programs: `nodejs_20`, `curl.bin`.
    var attribute: String
    /// nil: the service does not know; evaluating nixpkgs tells.
    var storePath: StorePath?
}

/// What a search service says of a package (`/v2/pkg`).
struct ServicePackage: Sendable, Hashable {
    struct Release: Sendable, Hashable {
        var version: PackageVersion
        var attribute: String
    }

    var summary: String
    /// Those that there are for the system, newest first.
    var releases: [Release]
}

extension ServiceResolution {
    private struct Answer: Decodable {
        struct Installable: Decodable {
            struct Reference: Decodable { var rev: String? }
            var ref: Reference
            var attributePath: String?

            private enum CodingKeys: String, CodingKey {
                case ref
                case attributePath = "attr_path"
            }
        }
        struct Output: Decodable {
            var name: String?
            var path: String?
            var `default`: Bool?
        }
        struct System: Decodable {
            var installable: Installable
            var outputs: [Output]?

            private enum CodingKeys: String, CodingKey {
                case outputs
                case installable = "flake_installable"
            }
        }
        var version: String
        var systems: [String: System]
    }

    /// - Returns: nil when the package is not there for `system`.
    /// - Throws: `index-unusable` for what is no such answer.
    init?(json: [UInt8], system: String) throws(KilnError) {
        let answer = try decodeAnswer(Answer.self, json)
        guard let entry = answer.systems[system] else { return nil }
        guard let version = try? PackageVersion(answer.version), let revision = entry.installable.ref.rev, Self.isCommit(revision),
            let path = entry.installable.attributePath, let attribute = Self.attribute(path)
        else { throw unusableAnswer("it names no version, commit or attribute") }
        let outputs = (entry.outputs ?? []).filter { $0.path.map { (try? StorePath($0)) != nil } ?? false }
        let output = Self.main(of: outputs)
        let suffix = output?.name.flatMap { $0 == "out" || Self.attribute($0) == nil ? nil : ".\($0)" } ?? ""
        self.init(
            version: version, revision: revision, attribute: attribute + suffix, storePath: output?.path.flatMap { try? StorePath($0) })
    }

    /// The output with the programs: of those that are installed by default the one named so, else the first.
    private static func main(of outputs: [Answer.Output]) -> Answer.Output? {
        let standard = outputs.filter { $0.default == true }
        let candidates = standard.isEmpty ? outputs : standard
        return candidates.first { $0.name == "bin" } ?? candidates.first { $0.name == "out" } ?? candidates.first
    }

    private static func isCommit(_ text: String) -> Bool {
        text.utf8.count == 40 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// nil for what is no attribute path of plain names.
    static func attribute(_ path: String) -> String? {
        let names = path.split(separator: ".", omittingEmptySubsequences: false)
        let isPlain = names.allSatisfy { name in !name.isEmpty && name.utf8.allSatisfy { $0.isLetterOrDigit || "_'+-".utf8.contains($0) } }
        return isPlain && path.utf8.count <= 256 && !path.hasPrefix("-") ? path : nil
    }
}

extension ServicePackage {
    private struct Answer: Decodable {
        struct Platform: Decodable {
            var system: String?
            var attributePath: String?

            private enum CodingKeys: String, CodingKey {
                case system
                case attributePath = "attribute_path"
            }
        }
        struct Release: Decodable {
            var version: String
            var platforms: [Platform]?
        }
        var summary: String?
        var releases: [Release]?
    }

    /// - Throws: `index-unusable` for what is no such answer.
    init(json: [UInt8], system: String) throws(KilnError) {
        let answer = try decodeAnswer(Answer.self, json)
        var releases: [Release] = []
        for release in answer.releases ?? [] {
            guard let platform = release.platforms?.first(where: { $0.system == system }), let version = try? PackageVersion(release.version),
                let attribute = platform.attributePath.flatMap(ServiceResolution.attribute)
            else { continue }
            releases.append(Release(version: version, attribute: attribute))
        }
        self.init(summary: answer.summary ?? "", releases: releases)
    }
}

private func decodeAnswer<Answer: Decodable>(_ type: Answer.Type, _ json: [UInt8]) throws(KilnError) -> Answer {
    do {
        return try JSONDecoder().decode(type, from: Data(json))
    } catch { throw unusableAnswer("\(error)".printable(limit: 200)) }
}

private func unusableAnswer(_ cause: String) -> KilnError {
    KilnError(.indexUnusable, "The answer of the search service is not understood: \(cause).")
}
