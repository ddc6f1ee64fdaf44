import KilnModel

/// Watches a build context's tar go by and refuses what would make root read a file of the host: a Containerfile or ignore file that is a
/// link, or lies behind one. The build's program follows such links itself, as root; everything else in a context it reads confined.
struct ContextScan {
    private let containerfile: [String]
    private var protected: [[String]]
    private var header: [UInt8] = []
    /// Bytes of the current member's content, padding included, still to come.
    private var rest = 0
    /// Content being kept, of a member that describes the next one.
    private var description: (type: UInt8, length: Int, bytes: [UInt8])?
    private var longName: String?
    private(set) var hasContainerfile = false

    /// - Throws: `KilnError` with `invalid-build-context` when `containerfile` is not a plain relative path.
    init(containerfile: String) throws(KilnError) {
        let parts = Self.components(containerfile)
        guard !containerfile.hasPrefix("/"), !containerfile.hasPrefix("-"), !parts.isEmpty, !parts.contains("..") else {
            throw KilnError(.invalidBuildContext, "“\(containerfile.printable(limit: 80))” is not a path within the build context.")
        }
        self.containerfile = parts
        protected = [parts, [".dockerignore"], [".containerignore"]]
        for name in [".dockerignore", ".containerignore"] { protected.append(parts.dropLast() + [parts[parts.count - 1] + name]) }
    }

    /// Takes the next piece, of any size.
    mutating func append(_ bytes: [UInt8]) throws(KilnError) {
        var bytes = bytes[...]
        while !bytes.isEmpty {
            if rest > 0 {
                let count = min(rest, bytes.count)
                description?.bytes.append(contentsOf: bytes.prefix(count))
                rest -= count
                bytes = bytes.dropFirst(count)
                if rest == 0 { finishDescription() }
            } else {
                let count = min(512 - header.count, bytes.count)
                header.append(contentsOf: bytes.prefix(count))
                bytes = bytes.dropFirst(count)
                guard header.count == 512 else { return }
                try takeHeader()
                header.removeAll(keepingCapacity: true)
            }
        }
    }

    /// Fields as in POSIX.1-2017 `pax`, "ustar Interchange Format", and GNU tar's long names.
    private mutating func takeHeader() throws(KilnError) {
        guard header.contains(where: { $0 != 0 }) else { return }
        let type = header[156]
        let size = try number(124..<136)
        rest = (size + 511) / 512 * 512
        if [UInt8(ascii: "x"), UInt8(ascii: "L"), UInt8(ascii: "K"), UInt8(ascii: "g")].contains(type) {
            guard size <= 1 << 20 else { throw Self.notTar }
            description = (type, size, [])
            return
        }
        let prefix = header[257..<262].elementsEqual("ustar".utf8) ? text(345..<500) : ""
        let name = longName ?? (prefix.isEmpty ? text(0..<100) : "\(prefix)/\(text(0..<100))")
        longName = nil
        try check(Self.components(name), isFile: type == 0 || type == UInt8(ascii: "0"), isFolder: type == UInt8(ascii: "5"))
    }

    private mutating func check(_ path: [String], isFile: Bool, isFolder: Bool) throws(KilnError) {
        guard !path.contains("..") else { throw Self.linked(path) }
        if path == containerfile, isFile { hasContainerfile = true }
        for wanted in protected where wanted.starts(with: path) {
            guard path.count == wanted.count ? isFile : isFolder else { throw Self.linked(path) }
        }
    }

    private mutating func finishDescription() {
        guard let (type, length, bytes) = description else { return }
        description = nil
        let content = bytes.prefix(length)
        if type == UInt8(ascii: "L") { longName = String(decoding: content.prefix { $0 != 0 }, as: UTF8.self) }
        if type == UInt8(ascii: "x") { longName = Self.path(inRecords: content) ?? longName }
    }

    /// Records are `LENGTH KEY=VALUE\n`, the length counting itself.
    private static func path(inRecords content: ArraySlice<UInt8>) -> String? {
        var content = content
        var found: String?
        while let space = content.firstIndex(of: UInt8(ascii: " ")),
            let length = Int(String(decoding: content[..<space], as: UTF8.self)), length > space - content.startIndex, length <= content.count
        {
            let record = String(decoding: content[(space + 1)..<(content.startIndex + length)].dropLast(), as: UTF8.self)
            if record.hasPrefix("path=") { found = String(record.dropFirst(5)) }
            content = content.dropFirst(length)
        }
        return found
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: header[range].prefix { $0 != 0 }, as: UTF8.self) }

    private func number(_ range: Range<Int>) throws(KilnError) -> Int {
        if header[range.lowerBound] & 0x80 != 0 {
            // GNU's base 256, for members of 8 GiB and more.
            let value = header[range].dropFirst().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard value < 1 << 50 else { throw Self.notTar }
            return Int(value)
        }
        let digits = text(range).filter { $0 != " " }
        guard let value = digits.isEmpty ? 0 : Int(digits, radix: 8), value >= 0 else { throw Self.notTar }
        return value
    }

    private static func components(_ path: String) -> [String] { path.split(separator: "/").map(String.init).filter { $0 != "." } }

    private static let notTar = KilnError(.invalidBuildContext, "The build context is not a tar.")

    private static func linked(_ path: [String]) -> KilnError {
        KilnError(
            .invalidBuildContext, "“\(path.joined(separator: "/").printable(limit: 80))” in the build context is a link or leaves the context.",
            hint: "Put the file itself there.")
    }
}
