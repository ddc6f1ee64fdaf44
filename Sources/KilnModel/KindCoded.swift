/// One of several things that hold different values. In JSON it is an object whose `kind` says which it is.
public protocol KindCoded: Codable {
    associatedtype Kind: Codable & CaseIterable
    var kind: Kind { get }
    /// What is there of `kind`.
    init(_ kind: Kind, from values: KeyedDecodingContainer<TextKey>) throws
    /// Puts what it holds beside its kind.
    func encode(into values: inout KeyedEncodingContainer<TextKey>) throws
}

extension KindCoded {
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: TextKey.self)
        try self.init(values.decode(Kind.self, forKey: "kind"), from: values)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: TextKey.self)
        try values.encode(kind, forKey: "kind")
        try encode(into: &values)
    }
}

/// A key of an object, written where it is used.
public struct TextKey: CodingKey, ExpressibleByStringLiteral {
    public let stringValue: String
    public var intValue: Int? { nil }

    public init(stringValue: String) { self.stringValue = stringValue }
    public init(stringLiteral: String) { stringValue = stringLiteral }
    public init?(intValue: Int) { nil }
}
