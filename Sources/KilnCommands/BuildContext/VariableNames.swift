/// Finds the variables that a text may refer to, so that only such variables leave the user's machine.
enum VariableNames {
    /// Those of `names` that stand in `text` as words, wherever: `$NAME`, `${NAME:-…}`, or the name alone, as in `environment: [NAME]`.
    static func mentioned(in text: String, of names: some Collection<String>) -> Set<String> {
        let words = text.utf8.split { !($0 == UInt8(ascii: "_") || isAlphanumeric($0)) }
        let known = Set(names)
        return Set(words.lazy.compactMap { String($0) }.filter(known.contains))
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
}
