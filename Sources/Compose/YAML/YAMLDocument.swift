import KilnModel
import Yams

/// The text of one YAML document, parsed by Yams into `YAMLNode`s under bounds on size, depth and expansion.
struct YAMLDocument {
    let text: String
    let source: SourceFile
    /// What a file without anything in it should say.
    var hintWhenEmpty = "Describe at least one service under “services:”."

    /// - Throws: `ComposeError` when the text is too long, is no YAML, or holds several documents, doubled keys or unbounded aliases.
    func root() throws(ComposeError) -> YAMLNode {
        guard text.utf8.count <= ComposeFile.maximumSize else {
            throw refusal(at: .start(of: source), "The file has \(text.utf8.count) bytes; \(ComposeFile.maximumSize) are the most.")
        }
        try refuseForbiddenCharacters()
        do {
            // Without rules every plain scalar stays the text that was written.
            let parser = try Parser(yaml: AliasShield.cover(text), resolver: .basic, encoding: .utf8)
            // Nodes hold their anchors weakly; the parser keeps them.
            return try withExtendedLifetime(parser) {
                guard let node = try parser.singleRoot() else {
                    throw refusal(at: .start(of: source), "The file is empty.", hint: hintWhenEmpty)
                }
                var converter = YAMLConverter(source: source)
                return try converter.convert(node)
            }
        } catch let error as ComposeError {
            throw error
        } catch let error as YamlError {
            throw ComposeError(finding(for: error))
        } catch {
            throw refusal(at: .start(of: source), "The file is not YAML: \(error)")
        }
    }

    /// YAML 1.1 allows no control characters but tab and line breaks. Checked here because the library gives no place for this error.
    private func refuseForbiddenCharacters() throws(ComposeError) {
        var position = Position.start(of: source)
        for scalar in text.unicodeScalars {
            let isAllowed =
                switch scalar.value {
                case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE001...0xFFFD, 0x10000...0x10FFFF: true
                default: false
                }
            guard isAllowed else {
                let code = String(scalar.value, radix: 16, uppercase: true)
                throw refusal(at: position, "The character U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code) is not allowed.")
            }
            if scalar == "\n" {
                position = Position(source: source, line: position.line + 1, column: 1)
            } else {
                position.column += 1
            }
        }
    }

    private func finding(for error: YamlError) -> ComposeFinding {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let reason = [problem, context?.text].compactMap(\.self).joined(separator: " ")
            return ComposeFinding(position(mark), "The file is not YAML: \(AliasShield.uncover(reason)).")
        case .composer(_, let problem, let mark, _):
            let hint = "Keep one document in a file, without “---” between parts."
            return ComposeFinding(position(mark), "The file is not one YAML document: \(problem).", hint: hint)
        case .duplicatedKeysInMapping(let keys, let context):
            return doubledKey(AliasShield.uncover(keys.first ?? ""), first: position(context.mark))
        default:
            return ComposeFinding(.start(of: source), "The file is not YAML: \(error).")
        }
    }

    /// The library points to the first of two equal keys. The second is what the reader looks for: in block style it stands further down in the
    /// same column.
    private func doubledKey(_ key: String, first: Position) -> ComposeFinding {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let spellings = [key, "\"\(key)\"", "'\(key)'"].map { Array($0.unicodeScalars) }
        for (index, line) in lines.enumerated().dropFirst(first.line) {
            let rest = line.unicodeScalars.dropFirst(first.column - 1)
            let indentation = line.unicodeScalars.prefix { $0 == " " }
            // A line further left ends the mapping.
            if indentation.count < min(first.column - 1, line.unicodeScalars.count), rest.first != "#" { break }
            guard line.unicodeScalars.prefix(first.column - 1).allSatisfy({ $0 == " " || $0 == "-" }) else { continue }
            let isKey = spellings.contains { spelling in
                rest.starts(with: spelling) && rest.dropFirst(spelling.count).first { $0 != " " } == ":"
            }
            guard isKey else { continue }
            let message = "The key “\(key.printable(limit: 80))” is given twice; the first is on line \(first.line)."
            return ComposeFinding(Position(source: source, line: index + 1, column: first.column), message, hint: "Remove one of them.")
        }
        return ComposeFinding(first, "The key “\(key.printable(limit: 80))” is given twice.", hint: "Remove one of them.")
    }

    private func position(_ mark: Mark) -> Position { Position(source: source, line: max(1, mark.line), column: max(1, mark.column)) }

    private func refusal(at position: Position, _ message: String, hint: String? = nil) -> ComposeError {
        ComposeError(ComposeFinding(position, message, hint: hint))
    }
}
