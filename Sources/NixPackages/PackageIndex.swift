public import KilnModel

/// What a source has, in one file for searching: a line for each package, sorted by the bytes of its name, `NAME TAB VERSION TAB SUMMARY`.
public struct PackageIndex: Sendable {
    /// A package with its newest version.
    public struct Entry: Sendable, Hashable {
        public var name: PackageName
        public var version: PackageVersion
        /// One line of text for people.
        public var summary: String

        public init(name: PackageName, version: PackageVersion, summary: String) {
            self.name = name
            self.version = version
            self.summary = summary
        }

        /// The entry's line. Tabs and line ends of the summary become spaces.
        var line: String {
            let text = String(summary.map { $0 == "\t" || $0.isNewline ? " " : $0 })
            return "\(name)\t\(version)\t\(text)\n"
        }

        /// nil when `line` is none that `line` wrote.
        init?(line: Substring) {
            let fields = line.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, let name = try? PackageName(String(fields[0])), let version = try? PackageVersion(String(fields[1])) else {
                return nil
            }
            self.init(name: name, version: version, summary: String(fields[2]))
        }
    }

    /// The file's path.
    public let path: String

    public init(path: String) { self.path = path }

    /// The text of an index.
    public static func text(of entries: [Entry]) -> String {
        entries.sorted { $0.name.value.utf8.lexicographicallyPrecedes($1.name.value.utf8) }.map(\.line).joined()
    }
}
