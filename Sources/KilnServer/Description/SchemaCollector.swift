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
    func value<Value: Decodable>(_ type: Value.Type, recording: SchemaRecording = SchemaRecording(), tag: String? = nil) throws -> Value {
        var value: Any?
        if let type = type as? any Placeholder.Type { value = type.placeholder }
        if let form = try Self.form(of: type) { value = try JSONDecoder().decode(type, from: JSONEncoder().encode(form.example)) }
        if let type = type as? any (CaseIterable & RawRepresentable).Type { value = type.firstCase }
        if let value = value as? Value { return value }
        let tag = tag ?? (type as? any TaggedUnion.Type)?.tags.first
        return try type.init(from: SchemaDecoder(collector: self, recording: recording, tag: tag))
    }

    private func definition(of type: any Decodable.Type) throws -> JSONTree {
        if let form = try Self.form(of: type) {
            var schema: [String: JSONTree] = ["type": "string", "examples": [.text(form.example)]]
            if !form.meaning.isEmpty { schema["description"] = .text(form.meaning) }
            if let pattern = form.pattern { schema["pattern"] = .text(pattern) }
            return .object(schema)
        }
        if let type = type as? any (CaseIterable & RawRepresentable).Type {
            return ["type": "string", "enum": .list(type.rawTexts.map { .text($0) })]
        }
        if let union = type as? any TaggedUnion.Type {
            return ["oneOf": .list(try union.tags.map { try alternative($0, of: type) })]
        }
        return try recording(type).schema
    }

    private func alternative(_ tag: String, of type: any Decodable.Type) throws -> JSONTree {
        let recording = try recording(type, tag: tag)
        // A case without a payload may not have asked for anything.
        if !recording.asked(for: tag) { recording.note(tag, ["type": "object"]) }
        return recording.schema
    }

    private func recording<Value: Decodable>(_ type: Value.Type, tag: String? = nil) throws -> SchemaRecording {
        let recording = SchemaRecording()
        _ = try value(type, recording: recording, tag: tag)
        return recording
    }

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
    fileprivate static var rawTexts: [String] { allCases.compactMap { $0.rawValue as? String } }
    fileprivate static var firstCase: Any? { allCases.first }
}
