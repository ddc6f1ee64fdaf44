import FoundationEssentials
import KilnModel

/// A channel's `packages.json`: over 100 MB of JSON, `{"packages": {ATTRIBUTE: {"pname", "version", "meta": {"description"}}}}`, or the inner
/// object alone, as `nix-env --query --json` prints it. Read package by package where it is mapped, never as a whole.
struct PackagesJSON {
    struct Package: Hashable {
        /// Path of the package in nixpkgs: `nodejs_20`, `python3Packages.numpy`.
        var attribute: String
        /// The name without its version, the same for all versions: `nodejs`.
        var name: String
        var version: String
        var summary: String
    }

    private struct Value: Decodable {
        struct Meta: Decodable { var description: String? }

        var pname: String?
        var version: String?
        var meta: Meta?
    }

    private let text: UnsafeRawBufferPointer

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    /// The packages at the top of nixpkgs. Those within sets (`haskellPackages.…`) are tens of thousands of libraries that languages have tools
    /// of their own for; they can be added by name.
    /// - Throws: `index-unusable`.
    func packages() throws(KilnError) -> [Package] {
        var scanner = JSONScanner(text)
        var inner: Range<Int>?
        try scanner.members { key, value in if key == "packages" { inner = value } }
        if let inner { scanner = JSONScanner(UnsafeRawBufferPointer(rebasing: text[inner])) }
        let bytes = inner.map { UnsafeRawBufferPointer(rebasing: text[$0]) } ?? text
        let decoder = JSONDecoder()
        var found: [Package] = []
        try scanner.members { key, range in
            guard !key.contains("."), let value = try? decoder.decode(Value.self, from: Data(bytes[range])), let version = value.version else {
                return
            }
            found.append(Package(attribute: key, name: value.pname ?? key, version: version, summary: value.meta?.description ?? ""))
        }
        return found
    }
}

/// Finds the members of a JSON object (RFC 8259) without reading what is in them.
struct JSONScanner {
    private let text: UnsafeRawBufferPointer
    private var offset = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    /// Calls `body` with the key of each member and the range of its value. Keys with escapes are left out.
    /// - Throws: `index-unusable` when this is no whole object.
    mutating func members(_ body: (String, Range<Int>) -> Void) throws(KilnError) {
        offset = 0
        try expect("{")
        if try next() == UInt8(ascii: "}") { return }
        while true {
            let key = try string()
            try expect(":")
            let start = try skipSpace()
            try skipValue()
            if !text[key].contains(UInt8(ascii: "\\")) { body(String(decoding: text[key], as: UTF8.self), start..<offset) }
            switch try next() {
            case UInt8(ascii: ","): offset += 1
            case UInt8(ascii: "}"): return
            default: throw broken
            }
        }
    }

    private var broken: KilnError {
        KilnError(.indexUnusable, "The list of packages is no JSON object, or its end is missing (at byte \(offset)).")
    }

    @discardableResult
    private mutating func skipSpace() throws(KilnError) -> Int {
        while offset < text.count, [0x20, 0x0a, 0x0d, 0x09].contains(text[offset]) { offset += 1 }
        guard offset < text.count else { throw broken }
        return offset
    }

    private mutating func next() throws(KilnError) -> UInt8 { text[try skipSpace()] }

    private mutating func expect(_ character: Unicode.Scalar) throws(KilnError) {
        guard try next() == UInt8(ascii: character) else { throw broken }
        offset += 1
    }

    /// The range between the quotes.
    private mutating func string() throws(KilnError) -> Range<Int> {
        try expect("\"")
        let start = offset
        while offset < text.count {
            switch text[offset] {
            case UInt8(ascii: "\\"): offset += 2
            case UInt8(ascii: "\""):
                offset += 1
                return start..<(offset - 1)
            default: offset += 1
            }
        }
        throw broken
    }

    private mutating func skipValue() throws(KilnError) {
        var depth = 0
        repeat {
            switch try next() {
            case UInt8(ascii: "\""): _ = try string()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                offset += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                offset += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw broken }
                offset += 1
            default:
                // A number or a word.
                while offset < text.count, !" \n\r\t,:]}".utf8.contains(text[offset]) { offset += 1 }
            }
        } while depth > 0
        guard depth == 0 else { throw broken }
    }
}
