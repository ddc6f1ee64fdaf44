import FoundationEssentials
import Yams

/// What was understood of a project, in the form in which Compose files are written: long syntaxes, one place for everything.
public enum ComposeValue: Sendable, Hashable {
    case null
    case flag(Bool)
    case integer(Int)
    case number(Double)
    /// As it is meant; when it is written, `$` is doubled.
    case text(String)
    /// A text that is written as it is, the `${NAME}` of a secret in it.
    case template(String)
    case list([ComposeValue])
    case map([String: ComposeValue])

    static func texts(_ list: [String]) -> ComposeValue { .list(list.map(ComposeValue.text)) }

    /// As YAML, keys sorted.
    public var yaml: String {
        do {
            return try Yams.serialize(node: node, indent: 2, width: -1, allowUnicode: true)
        } catch {
            // Every value here is one that YAML can hold.
            preconditionFailure("a project cannot be written as YAML: \(error)")
        }
    }

    /// As JSON, keys sorted.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        } catch {
            preconditionFailure("a project cannot be written as JSON: \(error)")
        }
    }

    private var written: String? {
        switch self {
        case .text(let text): text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$")
        case .template(let text): text
        default: nil
        }
    }

    private var node: Node {
        switch self {
        case .null: Node("null", Tag(.null))
        case .flag(let value): Node(value ? "true" : "false", Tag(.bool))
        case .integer(let value): Node("\(value)", Tag(.int))
        case .number(let value): Node("\(value)", Tag(.float))
        case .text, .template: Self.scalar(written ?? "")
        case .list(let items): Node(items.map(\.node), Tag(.seq), .block)
        case .map(let entries): Node(entries.sorted { $0.key < $1.key }.map { (Self.scalar($0.key), $0.value.node) }, Tag(.map), .block)
        }
    }

    /// Plain where nobody could take it for anything but a text.
    private static func scalar(_ text: String) -> Node {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } && Resolver.default.resolveTag(of: Node(text)) == .str
        return Node(text, Tag(.str), isPlain ? .plain : .doubleQuoted)
    }
}

extension ComposeValue: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text, .template: try container.encode(written)
        case .list(let items): try container.encode(items)
        case .map(let entries): try container.encode(entries)
        }
    }
}
