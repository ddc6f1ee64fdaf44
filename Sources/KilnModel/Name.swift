/// A name a user gives to a workmachine, workspace, environment or service: an RFC 1123 label,
/// `[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?`. Anything else is refused, never corrected.
public struct Name: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let value: String

    /// Parses `text`.
    /// - Throws: `KilnError` with code `invalid-name`.
    public init(_ text: String) throws(KilnError) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { throw Self.refusal(of: text, because: "it is empty") }
        guard bytes.count <= 63 else { throw Self.refusal(of: text, because: "it has \(bytes.count) bytes; 63 are the most") }
        guard bytes.allSatisfy({ Self.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }) else {
            throw Self.refusal(of: text, because: "only a-z, 0-9 and - are allowed")
        }
        guard Self.isAlphanumeric(bytes[0]), Self.isAlphanumeric(bytes[bytes.count - 1]) else {
            throw Self.refusal(of: text, because: "it begins or ends with -")
        }
        self.value = text
    }

    public var description: String { value }

    public static func < (lhs: Name, rhs: Name) -> Bool { lhs.value < rhs.value }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// The name that comes nearest to a text that is none: `my-api` to `My_api`; nil when nothing does.
    public static func nearest(to text: String) -> Name? {
        guard text.utf8.count <= 63, text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) else { return nil }
        let letters = text.lowercased().utf8.map { isAlphanumeric($0) ? Character(Unicode.Scalar($0)) : "-" }
        let core = letters.drop { $0 == "-" }.reversed().drop { $0 == "-" }.reversed()
        return core.isEmpty ? nil : try? Name(String(core))
    }

    private static func refusal(of text: String, because cause: String) -> KilnError {
        KilnError(
            .invalidName,
            "“\(text.printable(limit: 80))” is not a valid name: \(cause).",
            hint: (nearest(to: text).map { "Call it \($0), say. " } ?? "")
                + "Use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit."
        )
    }
}

extension Name: Codable, CodingKeyRepresentable {
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }

    public var codingKey: any CodingKey { NameKey(stringValue: value) }

    public init?<T: CodingKey>(codingKey: T) {
        guard let name = try? Name(codingKey.stringValue) else { return nil }
        self = name
    }

    private struct NameKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

/// A name with an optional owner in front: `hello` or `anna/hello`.
public struct QualifiedName: Hashable, Sendable, CustomStringConvertible {
    /// nil means "mine".
    public let owner: Name?
    public let name: Name

    public init(owner: Name? = nil, name: Name) {
        self.owner = owner
        self.name = name
    }

    /// Parses `[owner/]name`.
    /// - Throws: `KilnError` with code `invalid-name`.
    public init(_ text: String) throws(KilnError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            self.init(owner: try Name(String(parts[0])), name: try Name(String(parts[1])))
        } else {
            self.init(name: try Name(text))
        }
    }

    public var description: String { owner.map { "\($0)/\(name)" } ?? name.value }
}

extension String {
    /// The text with control and non-ASCII characters escaped and its length bounded, safe to print in a terminal.
    public func printable(limit: Int = 200) -> String {
        let escaped = unicodeScalars.prefix(limit).map { $0.value < 0x20 || $0.value > 0x7e ? $0.escaped(asASCII: true) : String($0) }.joined()
        return unicodeScalars.count > limit ? escaped + "…" : escaped
    }
}
