import FileWork
import FoundationEssentials
import Glibc
import KilnModel

/// A search service that answers as Devbox's does: which commit of nixpkgs has which version of a package. Its answers are kept: asked again
/// soon it is not asked at all, and without a network the last answer holds.
struct SearchService: Sendable {
    let address: FileAddress
    let fetcher: FileFetcher
    /// Holds the answers, a file each, named by what was asked.
    let directory: String
    let system: String

    /// How long an answer is as good as a new one: what a name's newest version is changes by the day.
    private static let freshness = 3600
    /// How long an answer is kept for times without a network.
    private static let retention = 90 * 86_400
    private static let limit = 16 << 20

    /// Which version of a package answers `version`, `latest` for the newest.
    /// - Returns: nil when it has none.
    /// - Throws: `index-unusable` when it cannot be asked.
    func resolve(_ name: PackageName, version: String) async throws -> ServiceResolution? {
        guard let answer = try await ask("v2/resolve", [("name", name.value), ("version", version)]) else { return nil }
        return try ServiceResolution(json: answer, system: system)
    }

    /// All versions of a package.
    /// - Returns: nil when it does not know the package.
    func package(_ name: PackageName) async throws -> ServicePackage? {
        guard let answer = try await ask("v2/pkg", [("name", name.value)]) else { return nil }
        return try ServicePackage(json: answer, system: system)
    }

    /// Lets go of answers that nobody asked for in a long time.
    func prune() throws {
        try TrustedFiles.remove(in: directory, olderThan: Self.retention)
    }

    private func ask(_ route: String, _ query: [(String, String)]) async throws -> [UInt8]? {
        try TrustedFiles.makeDirectories(directory, mode: 0o755)
        let question = route + query.map { "\($0)=\($1)\n" }.joined()
        let path = "\(directory)/\(Array(question.utf8).withUnsafeBytes { $0.digest })"
        if let age = TrustedFiles.age(path), age < Self.freshness, let answer = try TrustedFiles.read(path) { return answer }
        do {
            try await fetcher.fetch(address.appending(route), query: query, to: path, limit: Self.limit, timeout: .seconds(30))
        } catch FileFetcher.Failure.notFound {
            try TrustedFiles.remove(path)
            return nil
        } catch let failure as FileFetcher.Failure {
            if let answer = try TrustedFiles.read(path) { return answer }
            throw KilnError(
                .indexUnusable, "The search service of nixpkgs does not answer: \(failure).",
                hint: "What the store has still installs; for the rest mend the network, or the service's address in packages.json.")
        }
        return try TrustedFiles.read(path)
    }
}
