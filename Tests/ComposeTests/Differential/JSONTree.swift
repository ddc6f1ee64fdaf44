import Foundation

/// Any JSON, to be compared and changed.
indirect enum JSONTree: Hashable, Codable, CustomStringConvertible {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONTree])
    case map([String: JSONTree])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSONTree].self) {
            self = .list(value)
        } else {
            self = .map(try container.decode([String: JSONTree].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .map(let value): try container.encode(value)
        }
    }

    static func parse(_ text: String) throws -> JSONTree { try JSONDecoder().decode(JSONTree.self, from: Data(text.utf8)) }

    var description: String {
        switch self {
        case .null: "null"
        case .flag(let value): "\(value)"
        case .number(let value): value == value.rounded() ? "\(Int(value))" : "\(value)"
        case .text(let value): "\"\(value)\""
        case .list(let items): "[\(items.map(\.description).joined(separator: ", "))]"
        case .map(let entries): "{\(entries.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
        }
    }

    var text: String? { if case .text(let value) = self { value } else { nil } }
    var items: [JSONTree] { if case .list(let items) = self { items } else { [] } }
    var entries: [String: JSONTree] { if case .map(let entries) = self { entries } else { [:] } }
    var isEmptyMap: Bool { if case .map(let entries) = self { entries.isEmpty } else { false } }

    /// The value of a key of a map; setting nil removes it.
    subscript(key: String) -> JSONTree? {
        get { entries[key] }
        set {
            guard case .map(var entries) = self else { return }
            entries[key] = newValue
            self = .map(entries)
        }
    }

    /// The first place where two differ, and how.
    static func difference(_ one: JSONTree?, _ two: JSONTree?, at path: String = "") -> [String] {
        switch (one, two) {
        case (.map(let a)?, .map(let b)?):
            Set(a.keys).union(b.keys).sorted().flatMap { difference(a[$0], b[$0], at: "\(path)/\($0)") }
        case (.list(let a)?, .list(let b)?) where a.count == b.count:
            zip(a, b).enumerated().flatMap { difference($1.0, $1.1, at: "\(path)/\($0)") }
        default:
            one == two ? [] : ["\(path): the reference says \(one.map(\.description) ?? "nothing"), Kiln says \(two.map(\.description) ?? "nothing")"]
        }
    }
}
