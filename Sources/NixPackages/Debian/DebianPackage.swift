/// A package of a suite: what its stanza of the Packages list says, as far as it is needed here.
struct DebianPackage: Sendable, Hashable {
    /// From which of a suite's archives.
    enum Archive: String, Sendable, Codable { case main, security }

    var name: String
    var version: DebianVersion
    var archive: Archive
    /// The source package it was built from.
    var source: String
    var section: String
    /// Bytes to fetch.
    var size: Int
    /// Bytes on the disk.
    var installedSize: Int
    /// In hexadecimal.
    var sha256: String
    /// Relative to the archive.
    var file: String
    /// Depends and Pre-Depends.
    var depends: String
    /// Conflicts and Breaks.
    var conflicts: String
    var provides: String

    /// The package's line of a catalog.
    var line: String {
        [
            name, version.text, archive.rawValue, source, section, "\(size)", "\(installedSize)", sha256, file, depends, conflicts, provides,
        ].joined(separator: "\t") + "\n"
    }

    /// nil when `line` is none that `line` wrote.
    init?(line: Substring) {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 12, let archive = Archive(rawValue: fields[2]), let size = Int(fields[5]), let installed = Int(fields[6]) else {
            return nil
        }
        self.init(
            name: fields[0], version: DebianVersion(fields[1]), archive: archive, source: fields[3], section: fields[4], size: size,
            installedSize: installed, sha256: fields[7], file: fields[8], depends: fields[9], conflicts: fields[10], provides: fields[11])
    }

    init(
        name: String, version: DebianVersion, archive: Archive, source: String, section: String = "", size: Int, installedSize: Int, sha256: String,
        file: String, depends: String = "", conflicts: String = "", provides: String = ""
    ) {
        self.name = name
        self.version = version
        self.archive = archive
        self.source = source
        self.section = section
        self.size = size
        self.installedSize = installedSize
        self.sha256 = sha256
        self.file = file
        self.depends = depends
        self.conflicts = conflicts
        self.provides = provides
    }

    /// The name of the package's file in the store: that of the pool, which has no epoch, in the letters that Nix allows.
    var storeName: String {
        let name = file.split(separator: "/").last.map(String.init) ?? self.name
        return String(decoding: name.utf8.map { $0.isLetterOrDigit || "+-._".utf8.contains($0) ? $0 : UInt8(ascii: "-") }, as: UTF8.self)
    }
}
