import CLinux
import FileWork
import Glibc
import KilnModel

/// Makes a catalog of package lists. A list has 60 MB, so each is mapped and gone through twice: once for the order of names, once for the lines.
struct DebianCatalogWriter {
    /// Changes when the form of the files does.
    private static let form = "1"

    /// Holds a folder for each state, and `current`, a link to the newest.
    let directory: String
    let lists: AptLists

    /// The newest catalog; nil when none was made yet.
    static func current(in directory: String, suites: [String]) -> DebianCatalog? {
        guard let name = TrustedFiles.destination("\(directory)/current"), TrustedFiles.exists("\(directory)/\(name)/index") else { return nil }
        return DebianCatalog(directory: "\(directory)/\(name)", suites: suites)
    }

    /// Makes the catalog of the lists as they are, unless it is there.
    func write() throws -> DebianCatalog {
        let revision = String(NixHash.hexadecimal(of: try lists.heads() + Array("\(Self.form) \(lists.suites) \(lists.components)".utf8)).prefix(16))
        let catalog = DebianCatalog(directory: "\(directory)/\(revision)", suites: lists.suites)
        if !TrustedFiles.exists("\(catalog.directory)/index") {
            try TrustedFiles.remove(catalog.directory)
            try TrustedFiles.makeDirectories(catalog.directory, mode: 0o755)
            try writeFiles(of: catalog)
            // What parsing needed goes back to the system, not into a reserve: the agent is small while idle.
            linux_give_back_memory()
        }
        // The one before may just be looked into.
        let kept = ["current", revision, TrustedFiles.destination("\(directory)/current")]
        try TrustedFiles.link("\(directory)/current", to: revision)
        for name in try TrustedFiles.list(directory) where !kept.contains(name) { try TrustedFiles.remove("\(directory)/\(name)") }
        return catalog
    }

    private func writeFiles(of catalog: DebianCatalog) throws {
        var newest: [String: (version: DebianVersion, summary: String)] = [:]
        for suite in catalog.suites {
            try write(suite, of: catalog) { package, summary in
                if let present = newest[package.name], present.version >= package.version { return }
                newest[package.name] = (package.version, summary)
            }
        }
        let entries = newest.compactMap { name, found -> PackageIndex.Entry? in
            guard let name = try? PackageName(name), let version = try? PackageVersion(String(found.version.withoutEpoch)) else { return nil }
            return PackageIndex.Entry(name: name, version: version, summary: found.summary)
        }
        // Last: its presence says that all are whole.
        _ = try PackageIndex.write(entries, to: "\(catalog.directory)/index")
    }

    private struct Place {
        var name: String
        var version: DebianVersion
        var list: Int
        var range: Range<Int>
    }

    private func write(_ suite: String, of catalog: DebianCatalog, heard: (DebianPackage, String) -> Void) throws {
        let files = try lists.files(of: suite)
        let maps = try files.map { try FileMapping($0.path) }
        var newest: [String: Place] = [:]
        for (index, map) in maps.enumerated() {
            DebianPackagesList(map.bytes).forEach { stanza in
                guard let (name, version) = DebianPackage.identity(stanza) else { return }
                if let present = newest[name], present.version >= version { return }
                newest[name] = Place(name: name, version: version, list: index, range: stanza.range)
            }
        }
        let places = newest.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        newest = [:]
        let packages = try LineWriter(path: "\(catalog.directory)/\(suite).packages")
        var provides: [String] = []
        for place in places {
            let stanza = DebianPackagesList(maps[place.list].bytes).stanza(at: place.range)
            guard let (package, summary) = DebianPackage.parse(stanza, archive: files[place.list].archive) else { continue }
            try packages.write(package.line)
            for relation in DebianRelation.groups(package.provides).flatMap({ $0 }) {
                provides.append("\(relation.name)\t\(relation.constraint?.version.text ?? "")\t\(package.name)\n")
            }
            heard(package, summary)
        }
        try packages.finish()
        let lines = try LineWriter(path: "\(catalog.directory)/\(suite).provides")
        // A tab sorts before every letter of a name, so whole lines sort as their keys do.
        for line in provides.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) { try lines.write(line) }
        try lines.finish()
    }
}

/// Writes many small lines in few large pieces.
private final class LineWriter {
    private let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(path: String) throws(KilnError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw TrustedFiles.failure("write \(path)") }
    }

    deinit { close(descriptor) }

    func write(_ line: String) throws(KilnError) {
        buffer += Array(line.utf8)
        if buffer.count >= 1 << 20 { try flush() }
    }

    /// Everything is on the disk when this returns.
    func finish() throws(KilnError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw TrustedFiles.failure("write \(path)") }
    }

    private func flush() throws(KilnError) {
        var rest = buffer[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw TrustedFiles.failure("write \(path)") }
            rest = rest.dropFirst(count)
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
