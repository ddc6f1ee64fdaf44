internal import FoundationEssentials

/// The name of a secret of an environment: `[A-Za-z0-9_.-]{1,128}`, neither `.` nor `..`.
public struct SecretName: ValidatedText, Comparable {
    public let value: String

    public init(_ text: String) throws(KilnError) {
        guard (1...128).contains(text.utf8.count), text != ".", text != "..",
            text.utf8.allSatisfy({ $0.isASCIIAlphanumeric || "_.-".utf8.contains($0) })
        else {
            throw KilnError(
                .invalidName, "“\(text.printable(limit: 80))” is not a name for a secret.", hint: "Use 1 to 128 of letters, digits, _, . and -.")
        }
        value = text
    }

    public static func < (lhs: SecretName, rhs: SecretName) -> Bool { lhs.value < rhs.value }
}

/// That an environment has a secret. Its value is kept apart and is in no document.
public struct SecretVersion: Sendable, Codable, Hashable {
    public var name: SecretName
    /// Grows with every new value, also over a removal; services made with another version are made again.
    public var version: Int

    public init(name: SecretName, version: Int) {
        self.name = name
        self.version = version
    }
}

/// The value of a secret: bytes that no print, log or mirror shows.
public struct SecretBytes: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    public let bytes: [UInt8]

    /// Most that a value may have, in bytes.
    public static let maximumSize = 512 << 10

    /// - Throws: `invalid-value` when there are too many.
    public init(_ bytes: [UInt8]) throws(KilnError) {
        guard bytes.count <= Self.maximumSize else {
            throw KilnError(.invalidValue, "A secret of \(bytes.count) bytes is too long; \(Self.maximumSize) are the most.")
        }
        self.bytes = bytes
    }

    public var description: String { "********" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SecretBytes: Codable {
    /// Base64, so that bytes of any kind fit into JSON.
    public init(from decoder: any Decoder) throws {
        guard let data = Data(base64Encoded: try decoder.singleValueContainer().decode(String.self)) else {
            throw KilnError(.invalidValue, "The value of a secret is not base64.")
        }
        try self.init([UInt8](data))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Data(bytes).base64EncodedString())
    }
}

/// A secret with its value: on the way to the engine only.
public struct SecretValue: Sendable, Codable, Hashable {
    public var name: SecretName
    /// As in `SecretVersion`.
    public var version: Int
    public var value: SecretBytes

    public init(name: SecretName, version: Int, value: SecretBytes) {
        self.name = name
        self.version = version
        self.value = value
    }
}

/// A text into which the values of secrets are yet to come.
public struct SecretTemplate: Sendable, Codable, Hashable {
    public enum Piece: Sendable, Hashable {
        case text(String)
        case secret(SecretName)
    }

    public var pieces: [Piece]

    public init(pieces: [Piece]) { self.pieces = pieces }

    public var secrets: [SecretName] {
        pieces.compactMap { if case .secret(let name) = $0 { name } else { nil } }
    }

    /// As a Compose file would write it.
    public var description: String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$")
            case .secret(let name): "${\(name)}"
            }
        }.joined()
    }
}

extension SecretTemplate.Piece: KindCoded {
    public enum Kind: String, Sendable, Codable, CaseIterable { case text, secret }

    public var kind: Kind {
        switch self {
        case .text: .text
        case .secret: .secret
        }
    }

    public init(_ kind: Kind, from values: KeyedDecodingContainer<TextKey>) throws {
        switch kind {
        case .text: self = .text(try values.decode(String.self, forKey: "text"))
        case .secret: self = .secret(try values.decode(SecretName.self, forKey: "secret"))
        }
    }

    public func encode(into values: inout KeyedEncodingContainer<TextKey>) throws {
        switch self {
        case .text(let text): try values.encode(text, forKey: "text")
        case .secret(let name): try values.encode(name, forKey: "secret")
        }
    }
}

/// A variable whose value holds secrets.
public struct SecretVariable: Sendable, Codable, Hashable {
    public var key: String
    public var value: SecretTemplate

    /// - Throws: `invalid-value` when `key` is no name of a variable.
    public init(key: String, value: SecretTemplate) throws(KilnError) {
        self.key = try EnvironmentVariable(key: key, value: "").key
        self.value = value
    }

    private enum CodingKeys: String, CodingKey { case key, value }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(key: container.decode(String.self, forKey: .key), value: container.decode(SecretTemplate.self, forKey: .value))
    }
}
