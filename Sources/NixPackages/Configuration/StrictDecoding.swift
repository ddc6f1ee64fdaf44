/// Any key of an object.
private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// Refuses an object with keys that nobody reads: a misspelt setting would go unnoticed.
    /// - Throws: `DecodingError.dataCorrupted` at the key.
    func refuseKeys<Key: CodingKey & CaseIterable>(otherThan keys: Key.Type) throws {
        let known = Key.allCases.map(\.stringValue)
        for key in try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted() where !known.contains(key) {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: codingPath + [AnyKey(stringValue: key)],
                    debugDescription: "there is no such setting; there are \(known.sorted().joined(separator: ", "))."))
        }
    }
}
