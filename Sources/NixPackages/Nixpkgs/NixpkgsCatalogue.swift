import FileWork
import FoundationEssentials
import Glibc
import KilnModel

/// What there is at the top of nixpkgs, in two files: the search index, and for each name and each attribute the versions by that name, a line
/// `NAME TAB VERSION TAB ATTRIBUTE` each.
actor NixpkgsCatalogue {
    struct Release: Sendable, Hashable {
        var version: PackageVersion
        var attribute: String
    }

    /// Where the list comes from.
    enum Origin: Sendable {
        case file(FileAddress)
        case evaluation(NixpkgsEvaluation)
    }

    private let source: Name
    private let origin: Origin
    private let fetcher: FileFetcher
    private let directory: String
    private let attempt = Attempt()
    /// How long a search waits for a list that is not there yet.
    private static let patience = Duration.seconds(3)

    /// A list changes by the day.
    private static let freshness = 86_400
    private static let limit = 1 << 30

    init(source: Name, origin: Origin, fetcher: FileFetcher, directory: String) {
        self.source = source
        self.origin = origin
        self.fetcher = fetcher
        self.directory = directory
    }

    private var search: String { "\(directory)/index" }
    private var attributes: String { "\(directory)/attributes" }
    private var list: String { "\(directory)/packages.json" }

    /// - Throws: `index-unusable`, soon, while there is none yet.
    func index() async throws -> PackageIndex {
        if !isThere, try await !attempt.run(patience: Self.patience, { try await self.make() }) {
            throw KilnError(
                .indexUnusable, "The list of packages of the source \(source) is being fetched for the first time.", hint: "Try again in a minute.")
        }
        return PackageIndex(path: search)
    }

    /// The versions by a name, or of an attribute, newest first.
    func releases(of name: PackageName) async throws -> [Release] {
        if !isThere { try await attempt.run { try await self.make() } }
        let lines = try MappedFile.read(attributes) { text throws(KilnError) in SortedLines(text).lines(withKey: name.value) }
        return lines.compactMap { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 3, let version = try? PackageVersion(String(fields[1])) else { return nil }
            return Release(version: version, attribute: String(fields[2]))
        }
    }

    /// Brings the list up to date when it is older than a day. Where it cannot be had, the one at hand stays.
    /// - Throws: `index-unusable` when there is none.
    func refresh() async throws {
        if isThere, let age = age, age < Self.freshness { return }
        try await attempt.run(evenAfterFailure: true) { try await self.make() }
    }

    private var isThere: Bool { TrustedFiles.exists(search) && TrustedFiles.exists(attributes) }

    private var age: Int? {
        var information = stat()
        guard stat(search, &information) == 0 else { return nil }
        return time(nil) - information.st_mtim.tv_sec
    }

    private func make() async throws {
        try TrustedFiles.makeDirectories(directory, mode: 0o755)
        defer { try? TrustedFiles.remove(list) }
        let tag = "\(directory)/packages.json.etag"
        if !isThere { try TrustedFiles.remove(tag) }
        do {
            switch origin {
            case .file(let address):
                if try await fetcher.fetch(address, to: list, tag: tag, limit: Self.limit, timeout: .seconds(1800)) == .unchanged {
                    utimensat(AT_FDCWD, search, nil, 0)
                    return
                }
            case .evaluation(let evaluation): try TrustedFiles.replace(list, with: try await evaluation.packages())
            }
        } catch {
            if isThere, !(error is CancellationError) { return }
            throw KilnError(
                .indexUnusable, "The list of packages of the source \(source) cannot be had: \(error)",
                hint: "Mend the address in packages.json, or the network.")
        }
        try install(try MappedFile.read(list) { text throws(KilnError) in try PackagesJSON(text).packages() })
    }

    private func install(_ packages: [PackagesJSON.Package]) throws {
        var entries: [PackageIndex.Entry] = []
        var releases: [(name: String, version: PackageVersion, attribute: String)] = []
        for package in packages {
            guard let attribute = try? PackageName(package.attribute), let version = try? PackageVersion(package.version) else { continue }
            entries.append(.init(name: attribute, version: version, summary: package.summary))
            for name in Set([package.attribute, package.name]) where (try? PackageName(name)) != nil {
                releases.append((name, version, package.attribute))
            }
        }
        let lines = Dictionary(grouping: releases, by: \.name).sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.flatMap { group in
            // The attribute of that very name stands for its version, whatever others have the same.
            let known = group.value.sorted {
                let (one, other) = (NixVersionOrder($0.version.value), NixVersionOrder($1.version.value))
                return one == other ? ($0.attribute != $0.name ? 1 : 0, $0.attribute) < ($1.attribute != $1.name ? 1 : 0, $1.attribute) : other < one
            }
            var seen: Set<PackageVersion> = []
            return known.filter { seen.insert($0.version).inserted }.map { "\($0.name)\t\($0.version)\t\($0.attribute)\n" }
        }
        try TrustedFiles.replace(attributes, with: lines.joined())
        _ = try PackageIndex.write(entries, to: search)
    }
}
