internal import FoundationEssentials
internal import KilnModel

/// Works out the JSON schemas of types by decoding them from nothing and noting what they ask for: a schema cannot say something else than its type
/// does.
final class SchemaCollector {
    /// The schemas of the types with names.
    private(set) var components: [String: JSONTree] = [:]

    func schema(of type: any Decodable.Type) throws -> JSONTree {
        if let type = type as? any Placeholder.Type { return try type.schema(self) }
        let name = Self.name(of: type)
        if components[name] == nil {
            // Found should it contain itself.
            components[name] = ["type": "object"]
            components[name] = try definition(of: type)
        }
        return ["$ref": .text("#/components/schemas/\(name)")]
    }

    /// A value of `type` to go on with, whatever it says; what its decoding asks for is left in `recording`.
    func value<Value: Decodable>(_ type: Value.Type, recording: SchemaRecording = SchemaRecording(), kind: (any Codable)? = nil) throws -> Value {
        var value: Any?
        if let type = type as? any Placeholder.Type { value = type.placeholder }
        if let form = try Self.form(of: type) { value = try JSONDecoder().decode(type, from: JSONEncoder().encode(form.example)) }
        if let type = type as? any (CaseIterable & RawRepresentable).Type { value = type.firstCase }
        if let value = value as? Value { return value }
        let kind = kind ?? (type as? any KindCoded.Type)?.kinds.first
        return try type.init(from: SchemaDecoder(collector: self, recording: recording, kind: kind))
    }

    private func definition(of type: any Decodable.Type) throws -> JSONTree {
        if let form = try Self.form(of: type) {
            var schema: [String: JSONTree] = ["type": "string", "examples": [.text(form.example)]]
            if !form.meaning.isEmpty { schema["description"] = .text(form.meaning) }
            if let pattern = form.pattern { schema["pattern"] = .text(pattern) }
            if let format = form.format { schema["format"] = .text(format) }
            return .object(schema)
        }
        if let type = type as? any (CaseIterable & RawRepresentable & Encodable).Type {
            return ["type": "string", "enum": .list(try type.texts.map { .text($0) })]
        }
        if let type = type as? any KindCoded.Type {
            return ["oneOf": .list(try type.kinds.map { try recording(type, kind: $0).schema })]
        }
        return try recording(type).schema
    }

    private func recording<Value: Decodable>(_ type: Value.Type, kind: (any Codable)? = nil) throws -> SchemaRecording {
        let recording = SchemaRecording()
        _ = try value(type, recording: recording, kind: kind)
        return recording
    }

    /// What a value is in JSON that is a text.
    static func text(of value: some Encodable) throws -> String { try JSONDecoder().decode(String.self, from: JSONEncoder().encode(value)) }

    private static func form(of type: any Decodable.Type) throws -> TextForm? {
        if let type = type as? any DescribedText.Type { return type.form }
        guard let text = type as? any ValidatedText.Type else { return nil }
        func accepts<Text: ValidatedText>(_ type: Text.Type, _ candidate: String) -> Bool { (try? type.init(candidate)) != nil }
        guard let form = TextForm.usual({ accepts(text, $0) }) else {
            throw KilnError(.internalError, "\(type) takes none of the usual texts: make it a DescribedText.")
        }
        return form
    }

    /// `Workspace.Spec`; `ResourceListOfWorkspace`: without the modules.
    private static func name(of type: any Decodable.Type) -> String {
        String(reflecting: type).split(separator: "<").map { part in
            part.filter { $0 != ">" }.split(separator: ".").dropFirst().joined(separator: ".")
        }.joined(separator: "Of")
    }
}

extension CaseIterable where Self: RawRepresentable {
    fileprivate static var firstCase: Any? { allCases.first }
}

extension CaseIterable where Self: Encodable {
    fileprivate static var texts: [String] { get throws { try allCases.map { try SchemaCollector.text(of: $0) } } }
}

extension KindCoded {
    fileprivate static var kinds: [any Codable] { Kind.allCases.map { $0 as any Codable } }
}
