/// Walks over a text by Unicode scalars and knows where it is.
struct TextScanner {
    private let scalars: [Unicode.Scalar]
    private(set) var index = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    var peek: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    mutating func advance() { index = min(index + 1, scalars.count) }

    mutating func next() -> Unicode.Scalar? {
        defer { advance() }
        return peek
    }

    mutating func take(while matches: (Unicode.Scalar) -> Bool) -> String {
        var taken = String.UnicodeScalarView()
        while let scalar = peek, matches(scalar) {
            taken.append(scalar)
            advance()
        }
        return String(taken)
    }

    mutating func skipBlanks() {
        while let scalar = peek, scalar == " " || scalar == "\t" { advance() }
    }

    /// Moves behind the next line break.
    mutating func skipLine() {
        while let scalar = next(), scalar != "\n" {}
    }

    /// Line and column, both from 1.
    func place(of index: Int) -> (line: Int, column: Int) {
        let before = scalars.prefix(index)
        let line = before.reduce(1) { $1 == "\n" ? $0 + 1 : $0 }
        let column = before.reversed().prefix { $0 != "\n" }.count + 1
        return (line, column)
    }
}
