public import KilnModel

/// Something a person should know about a place in a Compose file or an environment file.
public struct ComposeFinding: Sendable, Hashable, CustomStringConvertible {
    /// The file, as the caller calls it.
    public let file: String
    /// From 1.
    public let line: Int
    /// From 1, in Unicode scalars.
    public let column: Int
    /// What is wrong there, and why.
    public let message: String
    /// The change that mends it.
    public let hint: String?

    public init(file: String, line: Int, column: Int, message: String, hint: String? = nil) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.hint = hint
    }

    init(_ position: Position, _ message: String, hint: String? = nil) {
        self.init(file: position.source.name, line: position.line, column: position.column, message: message, hint: hint)
    }

    /// `FILE:LINE:COLUMN: MESSAGE`, without the hint.
    var located: String { "\(file.printable()):\(line):\(column): \(message)" }

    public var description: String { hint.map { "\(located) \($0)" } ?? located }
}

/// Everything that keeps a Compose file from becoming services; never empty, in the order of the file.
public struct ComposeError: Error, Sendable, Hashable, CustomStringConvertible {
    public let findings: [ComposeFinding]

    /// More findings than this are counted, not listed: nobody reads on, and an answer must stay small.
    private static let listed = 50

    init(_ first: ComposeFinding) { findings = [first] }

    /// nil when there is nothing to complain about.
    init?(_ findings: [ComposeFinding]) {
        guard !findings.isEmpty else { return nil }
        // One anchored value used in five places is one mistake.
        var seen: Set<ComposeFinding> = []
        self.findings = findings.filter { seen.insert($0).inserted }.inOrder()
    }

    /// The error for people: one finding with its hint, or several, one a line.
    public var kilnError: KilnError {
        if findings.count == 1 {
            return KilnError(.invalidCompose, findings[0].located, hint: findings[0].hint)
        }
        var lines = findings.prefix(Self.listed).map(\.description)
        if findings.count > Self.listed { lines.append("… and \(findings.count - Self.listed) more.") }
        return KilnError(.invalidCompose, lines.joined(separator: "\n"))
    }

    public var description: String { findings.map(\.description).joined(separator: "\n") }
}

extension [ComposeFinding] {
    /// File by file, as they first appear, and by their place within.
    func inOrder() -> [ComposeFinding] {
        var order: [String: Int] = [:]
        for finding in self where order[finding.file] == nil { order[finding.file] = order.count }
        return sorted { (order[$0.file] ?? 0, $0.line, $0.column) < (order[$1.file] ?? 0, $1.line, $1.column) }
    }
}

/// A file that is read.
struct SourceFile: Sendable, Hashable {
    /// What to call it in findings.
    var name: String
    /// What its paths are relative to, itself relative to the project's folder; empty for that folder.
    var folder: String = ""
    /// Whose variables are filled in: an index of `Reading.scopes`.
    var scope = 0
}

/// A place in a file; line and column count from 1.
struct Position: Sendable, Hashable {
    var source: SourceFile
    var line: Int
    /// In Unicode scalars.
    var column: Int

    static func start(of source: SourceFile) -> Position { Position(source: source, line: 1, column: 1) }
}
