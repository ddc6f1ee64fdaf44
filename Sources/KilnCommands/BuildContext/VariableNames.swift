/// Finds what looks like a reference to a variable, `$NAME` or `${NAME…`, so that only such variables leave the user's machine.
enum VariableNames {
    /// The names, wherever they stand; one in a comment does no harm.
    static func mentioned(in text: String) -> Set<String> {
        var names: Set<String> = []
        for piece in text.split(separator: "$", omittingEmptySubsequences: false).dropFirst() {
            let name = (piece.first == "{" ? piece.dropFirst() : piece).prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
            if let first = name.first, !first.isNumber { names.insert(String(name)) }
        }
        return names
    }
}
