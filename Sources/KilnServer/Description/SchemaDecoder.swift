/// Gives placeholders to whoever decodes from it, and notes what they were for.
struct SchemaDecoder: Decoder {
    let collector: SchemaCollector
    let recording: SchemaRecording
    /// Of what is `KindCoded`: the one whose schema is made.
    let kind: (any Codable)?

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(KeyedPlaceholders<Key>(collector: collector, recording: recording, kind: kind))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "a list that is no Array or Set is not described"))
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { SinglePlaceholder(collector: collector, recording: recording) }
}

private struct SinglePlaceholder: SingleValueDecodingContainer {
    let collector: SchemaCollector
    let recording: SchemaRecording
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        recording.noteSingle(try collector.schema(of: type))
        return try collector.value(type)
    }
}

private struct KeyedPlaceholders<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let collector: SchemaCollector
    let recording: SchemaRecording
    let kind: (any Codable)?
    var codingPath: [any CodingKey] { [] }

    // Only what is not described is read by them.
    var allKeys: [Key] { [] }

    // `decodeIfPresent` asks these two first, `decode` does not.
    func contains(_ key: Key) -> Bool {
        recording.noteOptional(key.stringValue)
        return true
    }

    func decodeNil(forKey key: Key) -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        if let kind, let value = kind as? Value {
            recording.note(key.stringValue, ["const": .text(try SchemaCollector.text(of: kind))])
            return value
        }
        recording.note(key.stringValue, try collector.schema(of: type))
        return try collector.value(type)
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type, forKey key: Key) -> KeyedDecodingContainer<NestedKey> {
        let nested = SchemaRecording()
        recording.note(key.stringValue, nested)
        return KeyedDecodingContainer(KeyedPlaceholders<NestedKey>(collector: collector, recording: nested, kind: nil))
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw unknown(key) }
    func superDecoder() throws -> any Decoder { throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "no classes here")) }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw unknown(key) }

    private func unknown(_ key: Key) -> DecodingError {
        .dataCorrupted(.init(codingPath: [key], debugDescription: "\(key.stringValue) is read in a way that is not described"))
    }
}
