import FileWork
public import KilnModel

/// What a source has, in one file for searching: a line for each package, sorted by the bytes of its name, `NAME TAB VERSION TAB SUMMARY`.
///
/// The file is mapped for each call and nothing of it is kept: an agent that nobody asks holds no index in memory.
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
        var line: String { "\(name)\t\(version)\t\(summary.inOneLine)\n" }

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

    /// Writes an index to `path`, in the place of the one that is there.
    public static func write(_ entries: [Entry], to path: String) throws(KilnError) -> PackageIndex {
        try TrustedFiles.replace(path, with: text(of: entries))
        return PackageIndex(path: path)
    }

    /// The package of that name, spelled exactly so.
    /// - Throws: `KilnError` with `index-unusable`.
    public func entry(named name: PackageName) throws(KilnError) -> Entry? {
        try read { lines throws(KilnError) in
            guard let line = lines.lines(withKey: name.value).first else { return nil }
            return try entry(line)
        }
    }

    /// Runs `body` on the lines of the file.
    func read<Result>(_ body: (SortedLines) throws(KilnError) -> Result) throws(KilnError) -> Result {
        guard TrustedFiles.exists(path) else { throw unusable("it is not there") }
        return try MappedFile.read(path) { text throws(KilnError) in
            let lines = SortedLines(text)
            guard !lines.isCutOff else { throw unusable("its end is missing") }
            return try body(lines)
        }
    }

    func entry(_ line: Substring) throws(KilnError) -> Entry {
        guard let entry = Entry(line: line) else { throw unusable("“\(String(line).printable(limit: 60))” is no line of one") }
        return entry
    }

    private func unusable(_ cause: String) -> KilnError {
        KilnError(.indexUnusable, "The package index \(path) cannot be used: \(cause).", hint: "Remove the file; the next look-up makes it again.")
    }
}

extension String {
    /// The text with tabs, line ends and other control characters as spaces.
    var inOneLine: String { String(String.UnicodeScalarView(unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 })) }
}
