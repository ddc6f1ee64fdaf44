import FoundationEssentials
import KilnModel

/// What Nix says while it works, from its lines of `--log-format internal-json` (`src/libutil/logging.cc`, `class JSONLogger`). Pure.
struct NixLog {
    /// Kinds of activities and results (`src/libutil/logging.hh`).
    private enum Activity {
        static let copyPath = 100
        static let fileTransfer = 101
        static let build = 105
    }
    private enum Result {
        static let buildLine = 101
        static let progress = 105
        static let setExpected = 106
    }

    private struct Line: Decodable {
        var action: String
        var id: UInt64?
        var type: Int?
        var level: Int?
        var text: String?
        var msg: String?
        var rawMessage: String?
        var fields: [Field]?

        private enum CodingKeys: String, CodingKey {
            case action, id, type, level, text, msg, fields
            case rawMessage = "raw_msg"
        }
    }

    private enum Field: Decodable {
        case number(Int)
        case text(String)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) { self = .number(number) } else { self = .text(try container.decode(String.self)) }
        }

        var number: Int? { if case .number(let number) = self { number } else { nil } }
        var text: String? { if case .text(let text) = self { text } else { nil } }
    }

    private var transfers: [UInt64: (fetched: Int, total: Int)] = [:]
    /// Bytes still to come, by the activity that announced them.
    private var announced: [UInt64: Int] = [:]
    private var activity = ""
    /// The last lines that were no report but something said to people.
    private var messages: [String] = []
    /// What a build said last, which often is why it ended.
    private var lastBuildLine: String?
    private static let messageCount = 20

    /// - Returns: how far the work is, when the line changed that.
    mutating func read(_ text: String) -> PackageProgress? {
        guard text.hasPrefix("@nix "), let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8.dropFirst(5))) else {
            note(text)
            return nil
        }
        switch (line.action, line.type, line.id) {
        case ("start", Activity.fileTransfer?, let id?):
            transfers[id] = (0, 0)
            return nil
        case ("start", let type?, _) where type == Activity.copyPath || type == Activity.build:
            guard let path = line.fields?.first?.text else { return nil }
            activity = "\(type == Activity.build ? "building" : "fetching") \(Self.name(path))"
        case ("result", Result.buildLine?, _):
            if let text = line.fields?.first?.text { lastBuildLine = Self.withoutColours(text) }
            return nil
        case ("result", Result.progress?, let id?):
            guard transfers[id] != nil, let fields = line.fields, fields.count >= 2, let done = fields[0].number, let total = fields[1].number else {
                return nil
            }
            transfers[id] = (done, total)
        case ("result", Result.setExpected?, let id?):
            guard let fields = line.fields, fields.count >= 2, fields[0].number == Activity.fileTransfer, let total = fields[1].number else {
                return nil
            }
            announced[id] = total
        case ("msg", _, _):
            if line.level ?? 0 <= 1 { note(line.rawMessage ?? line.msg ?? "") }
            return nil
        default: return nil
        }
        return progress
    }

    private var progress: PackageProgress {
        let known = transfers.values.reduce(0) { $0 + max($1.total, $1.fetched) }
        let total = max(known, announced.values.reduce(0, +))
        let fetched = transfers.values.reduce(0) { $0 + $1.fetched }
        return PackageProgress(activity: activity.isEmpty ? "fetching" : activity, fetched: fetched, total: total == 0 ? nil : total)
    }

    private mutating func note(_ text: String) {
        let text = Self.withoutColours(text).trimmingPrefix { $0.isWhitespace }
        guard !text.isEmpty else { return }
        messages.append(String(text))
        if messages.count > Self.messageCount { messages.removeFirst() }
    }

    /// How Nix says that a signature is missing or by another key; the words differ between its versions and programs.
    private static let untrusted = [
        "not signed by any of the keys", "lacks a valid signature", "lacks a signature by a trusted key", "does not have a valid signature",
    ]

    /// The error that explains why a program ended as it did.
    func failure(of program: String, status: Int) -> KilnError {
        let text = messages.joined(separator: "\n")
        var last = messages.last { !$0.hasPrefix("(use '--show-trace'") } ?? "it ended with status \(status)"
        // Newer versions of Nix repeat it by themselves.
        if let lastBuildLine, last.contains("builder for"), !last.contains(lastBuildLine) { last += ": \(lastBuildLine)" }
        let told = last.printable(limit: 400)
        if let line = messages.first(where: { message in Self.untrusted.contains { message.contains($0) } }) {
            return KilnError(
                .untrustedSignature, "What a cache sent is not signed by a key this host trusts: \(line.printable(limit: 400))",
                hint: "Nothing of it was kept. Whoever runs the host names the cache's public key in its packages.json.")
        }
        if text.contains("No space left on device") || text.contains("database or disk is full") {
            return KilnError(.diskFull, "The disk of the store became full.", hint: "kl pkg gc frees what no workspace needs; nothing was changed.")
        }
        if text.contains("timed out after") || status == 128 + 9 {
            return KilnError(.packageFailed, "A build was ended: it took too long or too much memory: \(told)")
        }
        return KilnError(.packageFailed, "\(program) failed: \(told)")
    }

    /// The name part of a store path, without the ending of a derivation.
    private static func name(_ path: String) -> String {
        var name = path.split(separator: "/").last.map(String.init) ?? path
        if name.utf8.count > 33 { name = String(name.dropFirst(33)) }
        return (name.hasSuffix(".drv") ? String(name.dropLast(4)) : name).printable(limit: 80)
    }

    /// Without the escape sequences that colour a terminal (ECMA-48, CSI … m).
    private static func withoutColours(_ text: String) -> String {
        var result = ""
        var isInSequence = false
        for character in text.unicodeScalars {
            if isInSequence {
                isInSequence = !character.properties.isAlphabetic
            } else if character == "\u{1B}" {
                isInSequence = true
            } else {
                result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
