import KilnModel

/// What the suites of a source hold, in files that are looked up without being read: for each suite its packages, and what they provide, each a
/// text of lines sorted by name; and the index of all.
struct DebianCatalog: Sendable {
    /// Holds the files of one state of the lists; never changed once made.
    let directory: String
    /// The preferred one first.
    let suites: [String]

    /// Names the state.
    var revision: String { directory.split(separator: "/").last.map(String.init) ?? "" }
    var index: PackageIndex { PackageIndex(path: "\(directory)/index") }

    /// Every version of a package, the newest first.
    func releases(of name: String) throws(KilnError) -> [(suite: String, package: DebianPackage)] {
        var found: [(suite: String, package: DebianPackage)] = []
        for suite in suites {
            if let package = try DebianSuiteCatalog(directory: directory, suite: suite).package(named: name) { found.append((suite, package)) }
        }
        // Sorting is stable: of two that are equal the one of the preferred suite stays first.
        return found.sorted { $1.package.version < $0.package.version }
    }

    /// A package of a suite with all that it needs, dependencies first.
    func closure(of package: DebianPackage, in suite: String) throws(KilnError) -> [DebianSolver<DebianSuiteCatalog>.Chosen] {
        try DebianSolver.closure(of: package, in: DebianSuiteCatalog(directory: directory, suite: suite), suite: suite)
    }
}

/// One suite of a catalog.
final class DebianSuiteCatalog: DebianPackageLookup {
    private let packages: CatalogFile
    private let provides: CatalogFile

    /// - Throws: `index-unusable`.
    init(directory: String, suite: String) throws(KilnError) {
        packages = try CatalogFile(path: "\(directory)/\(suite).packages")
        provides = try CatalogFile(path: "\(directory)/\(suite).provides")
    }

    func package(named name: String) -> DebianPackage? { packages.lines(withKey: name).first.flatMap { DebianPackage(line: $0) } }

    func providers(of name: String) -> [(package: DebianPackage, version: DebianVersion?)] {
        provides.lines(withKey: name).compactMap { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 3, let package = package(named: String(fields[2])) else { return nil }
            return (package, fields[1].isEmpty ? nil : DebianVersion(String(fields[1])))
        }
    }
}

/// A file of sorted lines, mapped while it is looked into.
private final class CatalogFile {
    private let file: FileMapping

    init(path: String) throws(KilnError) {
        do {
            file = try FileMapping(path, isReadWhole: false)
        } catch {
            throw KilnError(
                .indexUnusable, "The catalog of Debian packages cannot be used: \(error.message)", hint: "Remove its folder; it is made again.")
        }
        guard !SortedLines(file.bytes).isCutOff else {
            throw KilnError(.indexUnusable, "The catalog of Debian packages at \(path) is cut off.", hint: "Remove its folder; it is made again.")
        }
    }

    func lines(withKey key: String) -> [Substring] { SortedLines(file.bytes).lines(withKey: key) }
}
