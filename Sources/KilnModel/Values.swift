/// A validated string: parsed once at the border, a plain string on the wire.
public protocol ValidatedText: Hashable, Sendable, Codable, CustomStringConvertible {
    var value: String { get }
    /// - Throws: `KilnError` naming what is wrong with `text`.
    init(_ text: String) throws(KilnError)
}

extension ValidatedText {
    public var description: String { value }

    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

/// Reference to a container image: `[registry[:port]/]path[:tag][@sha256:digest]`, at most 512 bytes.
public struct ImageReference: ValidatedText {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        let allowed = text.utf8.allSatisfy { $0.isASCIIAlphanumeric || "._-/:@".utf8.contains($0) }
        guard !text.isEmpty, text.utf8.count <= 512, allowed, text.utf8.first!.isASCIIAlphanumeric, text.utf8.last!.isASCIIAlphanumeric,
            !text.contains("//"), !text.contains("..")
        else {
            throw KilnError(
                .invalidValue, "“\(text.printable(limit: 80))” is not an image reference.",
                hint: "Write it like postgres:16 or registry.example.com/team/api:1.2.")
        }
        value = text
    }
}

/// The name of a volume: `[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}`.
public struct VolumeName: ValidatedText {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        guard (1...63).contains(text.utf8.count), text.utf8.first!.isASCIIAlphanumeric,
            text.utf8.allSatisfy({ $0.isASCIIAlphanumeric || "_.-".utf8.contains($0) })
        else {
            throw KilnError(
                .invalidName, "“\(text.printable(limit: 80))” is not a volume name.",
                hint: "Use 1 to 63 of letters, digits, _, . and -, beginning with a letter or digit.")
        }
        value = text
    }
}

/// The SHA-256 of some content: 64 lower-case hex digits.
public struct ContentDigest: ValidatedText {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        guard text.utf8.count == 64, text.utf8.allSatisfy({ ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) }) else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 80))” is not a SHA-256 in hex.")
        }
        value = text
    }
}

/// A git repository to clone: `https://`, `http://`, `ssh://`, `git://` or `user@host:path`, without control characters or spaces.
/// A leading `-` and git's `ext::` transports, which run programs, are refused.
public struct RepositoryURL: ValidatedText {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        let schemes = ["https://", "http://", "ssh://", "git://"]
        let plain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
        let hasScheme = schemes.contains { text.hasPrefix($0) && text.utf8.count > $0.utf8.count }
        guard plain, text.utf8.count <= 2048, hasScheme || Self.isSCPLike(text) else {
            throw KilnError(
                .invalidValue, "“\(text.printable(limit: 80))” is not a git URL.",
                hint: "Write it like https://host/team/repo.git or git@host:team/repo.git.")
        }
        value = text
    }

    private static func isSCPLike(_ text: String) -> Bool {
        guard let colon = text.firstIndex(of: ":"), text.utf8.first?.isASCIIAlphanumeric == true else { return false }
        let host = text[..<colon]
        let path = text[text.index(after: colon)...]
        return host.contains("@") && host.utf8.allSatisfy { $0.isASCIIAlphanumeric || "._-@".utf8.contains($0) } && !path.isEmpty
            && !path.hasPrefix(":")
    }
}

/// One `KEY=VALUE`. The key is `[A-Za-z_][A-Za-z0-9_.-]*`: some programs, Elasticsearch for one, take their settings from keys that no shell
/// could set. The value holds no NUL byte.
public struct EnvironmentVariable: Hashable, Sendable, Codable, CustomStringConvertible {
    public let key: String
    public let value: String

    public init(key: String, value: String) throws(KilnError) {
        guard let first = key.utf8.first, !(48...57).contains(first), key.utf8.count <= 256,
            first != UInt8(ascii: "."), first != UInt8(ascii: "-"),
            key.utf8.allSatisfy({ $0.isASCIIAlphanumeric || "_.-".utf8.contains($0) })
        else {
            throw KilnError(
                .invalidValue, "“\(key.printable(limit: 80))” is not a variable name.",
                hint: "Use letters, digits, _, . and -, beginning with a letter or _."
            )
        }
        guard !value.utf8.contains(0) else {
            throw KilnError(.invalidValue, "The value of \(key) holds a NUL byte.")
        }
        self.key = key
        self.value = value
    }

    /// Parses `KEY=VALUE`.
    public init(_ text: String) throws(KilnError) {
        guard let equals = text.firstIndex(of: "=") else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 80))” is not KEY=VALUE.")
        }
        try self.init(key: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
    }

    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public var description: String { "\(key)=\(value)" }
}

extension UInt8 {
    var isASCIIAlphanumeric: Bool { (48...57).contains(self) || (65...90).contains(self) || (97...122).contains(self) }
}
