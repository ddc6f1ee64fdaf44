/// What the decoding of one type asked for.
final class SchemaRecording {
    private enum Property {
        case schema(JSONTree)
        case nested(SchemaRecording)
    }

    private var properties: [String: Property] = [:]
    private var optional: Set<String> = []
    /// Of a type that is a single value.
    private var single: JSONTree?

    func note(_ key: String, _ schema: JSONTree) { properties[key] = .schema(schema) }
    func note(_ key: String, _ nested: SchemaRecording) { properties[key] = .nested(nested) }
    func noteOptional(_ key: String) { optional.insert(key) }
    func noteSingle(_ schema: JSONTree) { single = schema }

    var schema: JSONTree {
        if let single { return single }
        let required = properties.keys.filter { !optional.contains($0) }.sorted()
        var schema: [String: JSONTree] = ["type": "object", "additionalProperties": false]
        if !required.isEmpty { schema["required"] = .list(required.map { .text($0) }) }
        schema["properties"] = .object(
            properties.mapValues { property in
                switch property {
                case .schema(let schema): schema
                case .nested(let recording): recording.schema
                }
            })
        return .object(schema)
    }
}
