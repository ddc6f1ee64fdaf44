/// The identity of a resource: ten characters of Crockford base 32 in lower case (50 random bits), never reused.
/// Short enough to name a veth after (`w` + id is 11 of 15 bytes).
public struct ResourceID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let value: String

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// A fresh id from the system's random source.
    public static func random() -> ResourceID {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<10).map { _ in alphabet[Int.random(in: 0..<32, using: &generator)] }
        return ResourceID(unchecked: String(decoding: bytes, as: UTF8.self))
    }

    /// Parses `text`.
    /// - Throws: `KilnError` with code `invalid-id`.
    public init(_ text: String) throws(KilnError) {
        guard text.utf8.count == 10, text.utf8.allSatisfy({ Self.alphabet.contains($0) }) else {
            throw KilnError(.invalidID, "“\(text.printable(limit: 40))” is not an id.", hint: "Ids are ten characters, as `--json` shows them.")
        }
        self.value = text
    }

    private init(unchecked value: String) { self.value = value }

    public var description: String { value }

    public static func < (lhs: ResourceID, rhs: ResourceID) -> Bool { lhs.value < rhs.value }
}

extension ResourceID: Codable {
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}
