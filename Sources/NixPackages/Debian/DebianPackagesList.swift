import Glibc

/// A Packages list of an archive: stanzas of `Key: value` lines with an empty line between them (deb822(5)).
struct DebianPackagesList {
    private let text: UnsafeRawBufferPointer

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    /// Calls `body` with each stanza.
    func forEach(_ body: (DebianStanza) throws -> Void) rethrows {
        var start = 0
        while start < text.count {
            let end = endOfStanza(from: start)
            if end > start { try body(DebianStanza(text: text, range: start..<end)) }
            start = end + 1
        }
    }

    func stanza(at range: Range<Int>) -> DebianStanza { DebianStanza(text: text, range: range) }

    /// The offset after the line feed of the stanza's last line.
    private func endOfStanza(from start: Int) -> Int {
        var line = start
        while line < text.count, text[line] != DebianStanza.lineFeed {
            line = (DebianStanza.position(of: DebianStanza.lineFeed, in: text, line..<text.count) ?? text.count - 1) + 1
        }
        return line
    }
}

/// What a list says of one package.
struct DebianStanza {
    static let lineFeed = UInt8(ascii: "\n")

    private let text: UnsafeRawBufferPointer
    let range: Range<Int>

    init(text: UnsafeRawBufferPointer, range: Range<Int>) {
        self.text = text
        self.range = range
    }

    /// The first lines of the fields wanted, by key; those that it lacks are left out.
    func fields(_ keys: [StaticString]) -> [String] {
        var values = [String](repeating: "", count: keys.count)
        var start = range.lowerBound
        while start < range.upperBound {
            let end = Self.position(of: Self.lineFeed, in: text, start..<range.upperBound) ?? range.upperBound
            if let index = keys.firstIndex(where: { isKey($0, at: start, before: end) }) {
                values[index] = value(from: start + keys[index].utf8CodeUnitCount + 1, to: end)
            }
            start = end + 1
        }
        return values
    }

    private func isKey(_ key: StaticString, at start: Int, before end: Int) -> Bool {
        let length = key.utf8CodeUnitCount
        return start + length < end && text[start + length] == UInt8(ascii: ":") && memcmp(text.baseAddress! + start, key.utf8Start, length) == 0
    }

    private func value(from start: Int, to end: Int) -> String {
        var start = start
        while start < end, text[start] == UInt8(ascii: " ") { start += 1 }
        return String(decoding: text[start..<end], as: UTF8.self)
    }

    static func position(of byte: UInt8, in text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        guard !range.isEmpty, let base = text.baseAddress, let found = memchr(base + range.lowerBound, Int32(byte), range.count) else { return nil }
        return UnsafeRawPointer(found) - base
    }
}

extension DebianPackage {
    private static let keys: [StaticString] = [
        "Package", "Version", "Source", "Section", "Size", "Installed-Size", "SHA256", "Filename", "Pre-Depends", "Depends", "Conflicts", "Breaks",
        "Provides", "Description",
    ]

    /// The package of a stanza with its summary; nil when the stanza lacks what every package has.
    static func parse(_ stanza: DebianStanza, archive: Archive) -> (package: DebianPackage, summary: String)? {
        let fields = stanza.fields(keys).map { $0.utf8.contains(UInt8(ascii: "\t")) ? $0.inOneLine : $0 }
        guard !fields[0].isEmpty, !fields[1].isEmpty, let size = Int(fields[4]), fields[6].utf8.count == 64, !fields[7].isEmpty else { return nil }
        let package = DebianPackage(
            name: fields[0], version: DebianVersion(fields[1]), archive: archive,
            source: fields[2].isEmpty ? fields[0] : String(fields[2].prefix { $0 != " " }), section: fields[3], size: size,
            installedSize: (Int(fields[5]) ?? 0) << 10, sha256: fields[6], file: fields[7], depends: joined(fields[8], fields[9]),
            conflicts: joined(fields[10], fields[11]), provides: fields[12])
        return (package, fields[13])
    }

    private static func joined(_ one: String, _ other: String) -> String {
        one.isEmpty ? other : other.isEmpty ? one : "\(one), \(other)"
    }

    /// Name and version alone, which is all that sorting a list needs.
    static func identity(_ stanza: DebianStanza) -> (name: String, version: DebianVersion)? {
        let fields = stanza.fields(["Package", "Version"])
        return fields[0].isEmpty || fields[1].isEmpty ? nil : (fields[0], DebianVersion(fields[1]))
    }
}
