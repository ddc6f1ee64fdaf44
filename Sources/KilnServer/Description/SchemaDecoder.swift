/// Gives placeholders to whoever decodes from it, and notes what they were for.
struct SchemaDecoder: Decoder {
    let collector: SchemaCollector
    let recording: SchemaRecording
    /// The only key that an enumeration with payloads finds.
    let tag: String?

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(KeyedPlaceholders<Key>(collector: collector, recording: recording, tag: tag))
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
    let tag: String?
    var codingPath: [any CodingKey] { [] }

    var allKeys: [Key] { tag.flatMap { Key(stringValue: $0) }.map { [$0] } ?? [] }

    // `decodeIfPresent` asks these two first, `decode` does not.
    func contains(_ key: Key) -> Bool {
        recording.noteOptional(key.stringValue)
        return true
    }

    func decodeNil(forKey key: Key) -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        recording.note(key.stringValue, try collector.schema(of: type))
        return try collector.value(type)
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type, forKey key: Key) -> KeyedDecodingContainer<NestedKey> {
        let nested = SchemaRecording()
        recording.note(key.stringValue, nested)
        return KeyedDecodingContainer(KeyedPlaceholders<NestedKey>(collector: collector, recording: nested, tag: nil))
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw unknown(key) }
    func superDecoder() throws -> any Decoder { throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "no classes here")) }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw unknown(key) }

    private func unknown(_ key: Key) -> DecodingError {
        .dataCorrupted(.init(codingPath: [key], debugDescription: "\(key.stringValue) is read in a way that is not described"))
    }
}
