public import KilnModel

/// Reads environment files, Compose's `env_file` and `.env`: `KEY=VALUE` lines with comments, `export`, quotes, escapes and variables.
///
/// - Without quotes a value ends at the line's end or before ` #`, and variables are filled in.
/// - In single quotes it stands as written, over several lines if need be; `\'` is a quote.
/// - In double quotes `\n`, `\r`, `\t`, `\\`, `\"` and `\$` are known and variables are filled in.
/// - A `KEY` alone takes the value of the variable of that name, if it is set.
public struct EnvironmentFile {
    /// Reads a file.
    /// - Parameters:
    ///   - text: the file's content.
    ///   - file: what to call it in findings.
    ///   - variables: what `${NAME}` stands for; a key set further up in the file serves where this has none.
    /// - Throws: `ComposeError` with every line that is wrong.
    public static func read(text: String, file: String, variables: [String: String]) throws(ComposeError) -> [EnvironmentVariable] {
        let reader = try EnvironmentFile(text: text, file: file, variables: variables)
        return reader.list.variables
    }

    /// Every variable that a file refers to and does not only define; of a file with errors, those found in what can be read.
    public static func referencedVariables(text: String) -> Set<String> {
        do {
            return try EnvironmentFile(text: text, file: "", variables: [:], toleratesErrors: true).referenced
        } catch {
            // Too long to be read; whoever reads it for its values is told so.
            return []
        }
    }

    /// After so many the file is no environment file at all.
    private static let maximumFindings = 100

    private var scanner: TextScanner
    private let file: String
    private let variables: [String: String]
    private var list = VariableList()
    private var referenced: Set<String> = []
    private var findings: [ComposeFinding] = []
    private var produced = 0

    private init(text: String, file: String, variables: [String: String], toleratesErrors: Bool = false) throws(ComposeError) {
        guard text.utf8.count <= ComposeFile.maximumSize else {
            let message = "The file has \(text.utf8.count) bytes; \(ComposeFile.maximumSize) are the most."
            throw ComposeError(ComposeFinding(file: file, line: 1, column: 1, message: message))
        }
        scanner = TextScanner(text)
        self.file = file
        self.variables = variables
        while findings.count < Self.maximumFindings, skipToEntry() { readEntry() }
        if !toleratesErrors, let error = ComposeError(findings) { throw error }
    }

    /// Moves to the next key; false at the end.
    private mutating func skipToEntry() -> Bool {
        while let scalar = scanner.peek {
            switch scalar {
            case "#": scanner.skipLine()
            case " ", "\t", "\r", "\n", "\u{FEFF}": scanner.advance()
            default: return true
            }
        }
        return false
    }

    private mutating func readEntry() {
        let start = scanner.index
        var key = scanner.take { Self.isKeyCharacter($0) }
        if key == "export", scanner.peek == " " || scanner.peek == "\t" {
            scanner.skipBlanks()
            key = scanner.take { Self.isKeyCharacter($0) }
        }
        scanner.skipBlanks()
        do throws(Failure) {
            switch scanner.peek {
            case "=":
                scanner.advance()
                try set(key, to: readValue())
            case nil, "\n", "\r", "#":
                referenced.insert(key)
                if let value = variables[key] { try set(key, to: value) }
            default:
                throw Failure(message: "This is not KEY=VALUE.", hint: "A key is of letters, digits, _, . and -; = follows it.")
            }
        } catch {
            let place = scanner.place(of: error.index ?? start)
            findings.append(ComposeFinding(file: file, line: place.line, column: place.column, message: error.message, hint: error.hint))
        }
        scanner.skipLine()
    }

    private mutating func set(_ key: String, to value: String) throws(Failure) {
        do throws(KilnError) {
            list.set(try EnvironmentVariable(key: key, value: value))
        } catch {
            throw Failure(message: error.message, hint: error.hint)
        }
    }

    /// The value after `=`; leaves the scanner at the line's end or at a comment.
    private mutating func readValue() throws(Failure) -> String {
        scanner.skipBlanks()
        let start = scanner.index
        switch scanner.peek {
        case "'":
            let value = try readQuoted("'", from: start)
            try expectEnd()
            return value
        case "\"":
            let template = try readQuoted("\"", from: start)
            try expectEnd()
            return try expand(template, from: start)
        default:
            return try expand(readBare(), from: start)
        }
    }

    private mutating func readBare() -> String {
        var value = String.UnicodeScalarView()
        while let scalar = scanner.peek, scalar != "\n" {
            if scalar == "#", value.isEmpty || value.last == " " || value.last == "\t" { break }
            value.append(scalar)
            scanner.advance()
        }
        while let last = value.last, last == " " || last == "\t" || last == "\r" { value.removeLast() }
        return String(value)
    }

    /// A quoted value. Of a double-quoted one, the template for `Interpolation`.
    private mutating func readQuoted(_ quote: Unicode.Scalar, from start: Int) throws(Failure) -> String {
        scanner.advance()
        var value = String.UnicodeScalarView()
        while let scalar = scanner.next() {
            if scalar == quote { return String(value) }
            guard scalar == "\\", let escaped = scanner.peek else {
                value.append(scalar)
                continue
            }
            switch (quote, escaped) {
            case ("'", "'"), ("\"", "\""), ("\"", "\\"): value.append(escaped)
            case ("\"", "n"): value.append("\n")
            case ("\"", "r"): value.append("\r")
            case ("\"", "t"): value.append("\t")
            case ("\"", "$"): value.append(contentsOf: "$$".unicodeScalars)
            default:
                value.append(scalar)
                continue
            }
            scanner.advance()
        }
        throw Failure(message: "This quote is not closed.", hint: "Close it with \(quote).", index: start)
    }

    private mutating func expectEnd() throws(Failure) {
        scanner.skipBlanks()
        switch scanner.peek {
        case nil, "\n", "\r", "#": return
        default:
            throw Failure(message: "Something follows the closing quote.", hint: "Put the whole value in the quotes.", index: scanner.index)
        }
    }

    private mutating func expand(_ template: String, from start: Int) throws(Failure) -> String {
        let (variables, earlier) = (variables, list)
        var interpolation = Interpolation(limit: Reading.maximumExpansion - produced) { name in
            (variables[name] ?? earlier[name]).map { .text($0) }
        }
        defer { referenced.formUnion(interpolation.referenced.filter { earlier[$0] == nil }) }
        do throws(Interpolation.Failure) {
            let value = try interpolation.expand(template).text
            produced += value.utf8.count
            return value
        } catch {
            let hint = error.hint.map { "\($0) In single quotes nothing is filled in." }
            throw Failure(message: error.message, hint: hint, index: start)
        }
    }

    private struct Failure: Error {
        var message: String
        var hint: String?
        /// Where, when it is not the entry's start.
        var index: Int?
    }

    private static func isKeyCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-": true
        default: false
        }
    }
}
