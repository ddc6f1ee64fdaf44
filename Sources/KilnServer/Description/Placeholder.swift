/// A type of the language itself, with a value to go on with while a schema is made, and the schema it has.
protocol Placeholder {
    static var placeholder: Any { get }
    static func schema(_ collector: SchemaCollector) throws -> JSONTree
}

extension Placeholder where Self: FixedWidthInteger {
    static var placeholder: Any { Self(1) }
    static func schema(_ collector: SchemaCollector) -> JSONTree { ["type": "integer"] }
}

extension Int: Placeholder {}
extension Int32: Placeholder {}
extension Int64: Placeholder {}
extension UInt8: Placeholder {}
extension UInt16: Placeholder {
    static func schema(_ collector: SchemaCollector) -> JSONTree { ["type": "integer", "minimum": .number(0), "maximum": .number(65535)] }
}
extension UInt32: Placeholder {}
extension UInt64: Placeholder {}

extension Double: Placeholder {
    static var placeholder: Any { 1.0 }
    static func schema(_ collector: SchemaCollector) -> JSONTree { ["type": "number"] }
}

extension Bool: Placeholder {
    static var placeholder: Any { false }
    static func schema(_ collector: SchemaCollector) -> JSONTree { ["type": "boolean"] }
}

extension String: Placeholder {
    // One that many a text's rules accept.
    static var placeholder: Any { "a" }
    static func schema(_ collector: SchemaCollector) -> JSONTree { ["type": "string"] }
}

extension Array: Placeholder where Element: Decodable {
    static var placeholder: Any { [Element]() }
    static func schema(_ collector: SchemaCollector) throws -> JSONTree { ["type": "array", "items": try collector.schema(of: Element.self)] }
}

extension Set: Placeholder where Element: Decodable {
    static var placeholder: Any { Set<Element>() }
    static func schema(_ collector: SchemaCollector) throws -> JSONTree {
        ["type": "array", "uniqueItems": true, "items": try collector.schema(of: Element.self)]
    }
}

extension Dictionary: Placeholder where Key: Decodable, Value: Decodable {
    static var placeholder: Any { [Key: Value]() }
    static func schema(_ collector: SchemaCollector) throws -> JSONTree {
        ["type": "object", "additionalProperties": try collector.schema(of: Value.self)]
    }
}

extension Optional: Placeholder where Wrapped: Decodable {
    static var placeholder: Any { Wrapped?.none as Any }
    static func schema(_ collector: SchemaCollector) throws -> JSONTree {
        ["oneOf": [try collector.schema(of: Wrapped.self), ["type": "null"]]]
    }
}
