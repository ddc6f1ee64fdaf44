import KilnModel

/// What a binary cache has, in one text: a header with the time it was written, then a line for each version of a package for each system,
/// sorted by the bytes of the names, and for each name the newest version first:
///
/// `NAME TAB VERSION TAB SYSTEM TAB STOREPATH TAB NARHASH TAB DOWNLOAD TAB DISK TAB SUMMARY`
///
/// DOWNLOAD and DISK are the bytes of the path with all that it needs, compressed in the cache and on the disk.
struct CacheIndex {
    /// A version of a package.
    struct Release: Hashable {
        var name: PackageName
        var version: PackageVersion
        var system: String
        var storePath: StorePath
        /// As in `LockedPackage.hash`.
        var hash: String
        var download: Int
        var disk: Int
        var summary: String

        var line: String { "\(name)\t\(version)\t\(system)\t\(storePath)\t\(hash)\t\(download)\t\(disk)\t\(summary.inOneLine)\n" }
    }

    private static let title = "kiln-index 1 "

    /// Unix time at which the index was written, in seconds: of two the later one holds.
    let time: Int
    private let lines: SortedLines

    /// - Throws: `index-unusable` for text that begins as no index does, or ends too early.
    init(_ text: UnsafeRawBufferPointer) throws(KilnError) {
        let whole = SortedLines(text)
        let end = whole.endOfLine(from: 0)
        let header = String(decoding: text[..<end], as: UTF8.self)
        guard end < text.count, !whole.isCutOff, header.hasPrefix(Self.title), let time = Int(header.dropFirst(Self.title.utf8.count)) else {
            throw KilnError(
                .indexUnusable, "This is no package index of Kiln: it begins with “\(header.printable(limit: 40))”, or its end is missing.")
        }
        self.time = time
        lines = SortedLines(UnsafeRawBufferPointer(rebasing: text[(end + 1)...]))
    }

    /// The text of an index. The order of a package's versions is kept.
    static func text(of releases: [Release], time: Int) -> String {
        let order = releases.enumerated().sorted { one, other in
            let (name, otherName) = (one.element.name.value, other.element.name.value)
            return name == otherName ? one.offset < other.offset : name.utf8.lexicographicallyPrecedes(otherName.utf8)
        }
        return "\(title)\(time)\n" + order.map(\.element.line).joined()
    }

    /// The versions of a package for `system`, newest first.
    /// - Throws: `index-unusable`.
    func releases(of name: PackageName, system: String) throws(KilnError) -> [Release] {
        var found: [Release] = []
        for line in lines.lines(withKey: name.value) { found.append(try Release(line: line)) }
        return found.filter { $0.system == system }
    }

    /// Everything in the index.
    /// - Throws: `index-unusable`.
    func releases() throws(KilnError) -> [Release] {
        var found: [Release] = []
        var failure: KilnError?
        lines.forEach { start, end in
            do throws(KilnError) {
                found.append(try Release(line: Substring(decoding: lines.text[start..<end], as: UTF8.self)))
            } catch { failure = error }
        }
        if let failure { throw failure }
        return found
    }

    /// For each package that there is for `system` its newest version.
    /// - Throws: `index-unusable`.
    func newest(for system: String) throws(KilnError) -> [PackageIndex.Entry] {
        var entries: [PackageIndex.Entry] = []
        for release in try releases() where release.system == system && entries.last?.name != release.name {
            entries.append(.init(name: release.name, version: release.version, summary: release.summary))
        }
        return entries
    }
}

extension CacheIndex.Release {
    /// - Throws: `index-unusable`.
    init(line: Substring) throws(KilnError) {
        let fields = line.split(separator: "\t", maxSplits: 7, omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 8, let name = try? PackageName(fields[0]), let version = try? PackageVersion(fields[1]),
            let storePath = try? StorePath(fields[3]), let download = Int(fields[5]), let disk = Int(fields[6]), download >= 0, disk >= 0
        else {
            throw KilnError(.indexUnusable, "“\(String(line).printable(limit: 80))” is no line of a package index.")
        }
        self.init(
            name: name, version: version, system: fields[2], storePath: storePath, hash: fields[4], download: download, disk: disk,
            summary: fields[7])
    }
}
