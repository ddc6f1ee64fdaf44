internal import FoundationEssentials
internal import KilnModel

/// Documents as they once lay in the store: times as Unix seconds, alternatives as Swift writes them by itself, `{"reference":{"_0":"postgres:16"}}`.
/// A migration brings them into the form of the API by their places, whatever the types are called by then.
enum OldJSON: Codable {
    case null
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([OldJSON])
    case object([String: OldJSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let integer = try? value.decode(Int.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([OldJSON].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: OldJSON].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let flag): try container.encode(flag)
        case .integer(let integer): try container.encode(integer)
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .list(let list): try container.encode(list)
        case .object(let object): try container.encode(object)
        }
    }
}

extension OldJSON {
    /// Keys from the outermost on; `*` stands for every item of a list.
    private static let times = [
        "metadata.createdAt", "metadata.deletionRequestedAt", "status.since", "status.connection.since", "status.intercepts.*.since",
        "status.packages.since", "status.services.*.crash.nextTry", "status.services.*.replicas.*.crash.nextTry", "spec.intercepts.*.since",
        "createdAt",
    ]
    private static let alternatives = ["spec.services.*.image", "spec.services.*.files.*.source", "spec.services.*.secretVariables.*.value.pieces.*"]
    private static let policies = ["spec.services.*.restart"]

    /// A resource, or a generation of packages, in the form of the API.
    static func renewed(_ document: String) throws -> String {
        var json = try JSONDecoder().decode(OldJSON.self, from: Data(document.utf8))
        for path in times { json = json.changed(at: path) { $0.asTime } }
        for path in alternatives { json = json.changed(at: path) { $0.asKind } }
        for path in policies { json = json.changed(at: path) { $0.asPolicy } }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(json), as: UTF8.self)
    }

    private func changed(at path: String, _ change: (OldJSON) -> OldJSON) -> OldJSON { changed(at: path.split(separator: ".")[...], change) }

    private func changed(at path: ArraySlice<Substring>, _ change: (OldJSON) -> OldJSON) -> OldJSON {
        guard let key = path.first else { return change(self) }
        switch self {
        case .list(let list) where key == "*": return .list(list.map { $0.changed(at: path.dropFirst(), change) })
        case .object(var object):
            if let value = object[String(key)] { object[String(key)] = value.changed(at: path.dropFirst(), change) }
            return .object(object)
        default: return self
        }
    }

    private var asTime: OldJSON {
        switch self {
        case .integer(let seconds): .text(Timestamp(seconds: Double(seconds)).description)
        case .number(let seconds): .text(Timestamp(seconds: seconds).description)
        default: self
        }
    }

    /// The only key of an object, with what it holds.
    private var only: (key: String, value: OldJSON)? {
        if case .object(let object) = self, object.count == 1 { object.first.map { ($0.key, $0.value) } } else { nil }
    }

    private var asKind: OldJSON {
        guard let (kind, holder) = only, case .object(let held) = holder, let value = held["_0"] else { return self }
        return .object(["kind": .text(kind), kind: value])
    }

    private var asPolicy: OldJSON {
        guard let (name, holder) = only else { return self }
        switch name {
        case "unlessStopped": return .text("unless-stopped")
        case "onFailure":
            if case .object(let held) = holder, case .integer(let maximum) = held["maximumRetries"] { return .text("on-failure:\(maximum)") }
            return .text("on-failure")
        default: return .text(name)
        }
    }
}
