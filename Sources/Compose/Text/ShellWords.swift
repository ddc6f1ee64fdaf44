/// Splits a command written as one text into program and arguments, by the quoting rules of POSIX shells (XCU 2.2).
///
/// No shell runs the result. What only a shell could do is refused, where a plain split would change the meaning without a word.
enum ShellWords {
    struct Failure: Error {
        var message: String
        var hint: String?
    }

    static func split(_ text: String) throws(Failure) -> [String] {
        var words: [String] = []
        // nil between words; empty quotes make an empty word.
        var word: String.UnicodeScalarView?
        var rest = Array(text.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case " ", "\t", "\n", "\r":
                if let complete = word { words.append(String(complete)) }
                word = nil
                continue
            default: break
            }
            var part = word.take() ?? .init()
            switch scalar {
            case "'": try readSingleQuoted(&rest, into: &part)
            case "\"": try readDoubleQuoted(&rest, into: &part)
            case "\\":
                guard let next = rest.popFirst() else {
                    throw Failure(message: "The command ends with a lone backslash.", hint: "Double it, or remove it.")
                }
                // A backslash before a line break joins the lines.
                if next != "\n" { part.append(next) }
            case ";", "&", "|", "<", ">", "(", ")", "`":
                let hint = "Put it in quotes if it is meant so; for a shell write [\"sh\", \"-c\", \"…\"]."
                throw Failure(message: "“\(scalar)” in a command means something to a shell only, and no shell runs it.", hint: hint)
            default: part.append(scalar)
            }
            word = part
        }
        if let word { words.append(String(word)) }
        return words
    }

    private static func readSingleQuoted(_ rest: inout ArraySlice<Unicode.Scalar>, into part: inout String.UnicodeScalarView) throws(Failure) {
        while let scalar = rest.popFirst() {
            if scalar == "'" { return }
            part.append(scalar)
        }
        throw unclosed("'")
    }

    private static func readDoubleQuoted(_ rest: inout ArraySlice<Unicode.Scalar>, into part: inout String.UnicodeScalarView) throws(Failure) {
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return
            case "\\":
                guard let next = rest.popFirst() else { throw unclosed("\"") }
                // Within double quotes a backslash is itself before anything but these.
                if !["$", "`", "\"", "\\", "\n"].contains(next) { part.append("\\") }
                if next != "\n" { part.append(next) }
            default: part.append(scalar)
            }
        }
        throw unclosed("\"")
    }

    private static func unclosed(_ quote: String) -> Failure {
        Failure(message: "A quote in the command is not closed.", hint: "Close it with \(quote).")
    }
}
