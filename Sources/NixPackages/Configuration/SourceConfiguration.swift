public import KilnModel

/// One source as configured: an object with a `name`, a `type`, and what the type needs.
public enum SourceConfiguration: Sendable, Hashable {
    case nixpkgs(NixpkgsConfiguration)
    case cache(CacheConfiguration)
    case debian(DebianConfiguration)

    /// Unique among the sources of a host.
    public var name: Name {
        switch self {
        case .nixpkgs(let source): source.name
        case .cache(let source): source.name
        case .debian(let source): source.name
        }
    }
}

extension SourceConfiguration: Codable {
    private enum Kind: String, Codable, CaseIterable { case nixpkgs, cache, debian }

    private enum Key: String, CodingKey { case type }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let text = try container.decode(String.self, forKey: .type)
        guard let kind = Kind(rawValue: text) else {
            throw DecodingError.dataCorruptedError(
                forKey: .type, in: container, debugDescription: "“\(text.printable(limit: 40))” is none of nixpkgs, cache and debian.")
        }
        switch kind {
        case .nixpkgs: self = .nixpkgs(try NixpkgsConfiguration(from: decoder))
        case .cache: self = .cache(try CacheConfiguration(from: decoder))
        case .debian: self = .debian(try DebianConfiguration(from: decoder))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .nixpkgs(let source):
            try container.encode(Kind.nixpkgs, forKey: .type)
            try source.encode(to: encoder)
        case .cache(let source):
            try container.encode(Kind.cache, forKey: .type)
            try source.encode(to: encoder)
        case .debian(let source):
            try container.encode(Kind.debian, forKey: .type)
            try source.encode(to: encoder)
        }
    }
}
