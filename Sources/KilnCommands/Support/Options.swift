internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

/// What every verb takes.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print the API's JSON instead of text.")
    var json = false

    @Flag(name: .shortAndLong, help: "Answer every question with yes.")
    var yes = false
}

/// What every verb takes that waits for its effect.
struct WaitOptions: ParsableArguments {
    @Flag(name: .customLong("no-wait"), help: "Return as soon as the work is asked for.")
    var noWait = false

    @Option(help: ArgumentHelp("How long to wait: 90s, 10m, 2h.", valueName: "time"), transform: { WaitLimit(try Quantity.duration($0)) })
    var timeout = WaitLimit(.seconds(600))
}

struct WaitLimit: Sendable, CustomStringConvertible {
    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    var description: String { Show.duration(Double(duration.components.seconds)) }
}

/// Which workspace a verb is about: its own inside one, `--workspace` elsewhere.
struct WorkspaceOption: ParsableArguments {
    @Option(
        help: ArgumentHelp("The workspace; inside one, its own.", valueName: "name"), completion: .workspaces, transform: { try QualifiedName($0) })
    var workspace: QualifiedName?
    @Option(help: ArgumentHelp("The line that a shell completes, which may name the workspace.", visibility: .private)) var completing: String?

    func reference(in context: Context) throws -> Reference {
        if let workspace = workspace ?? completing.flatMap(Self.workspace) { return .name(workspace) }
        guard try context.access().isInside else {
            throw KilnError(
                .invalidValue, "Outside a workspace this needs the workspace's name.",
                hint: "Add --workspace NAME; kl workspace list shows the names.")
        }
        return .itself
    }

    /// The workspace that a line names, as far as it is written.
    private static func workspace(in line: String) -> QualifiedName? {
        let words = line.split { $0 == " " || $0 == "=" }
        guard let option = words.lastIndex(of: "--workspace"), option + 1 < words.count else { return nil }
        return try? QualifiedName(String(words[option + 1]))
    }
}

extension CompletionKind {
    static let workspaces = CompletionKind.shellCommand("kl workspace list --quiet 2>/dev/null")
    static let environments = CompletionKind.shellCommand("kl env list --quiet 2>/dev/null")
    /// Of the environment that the workspace is connected to.
    static let services = ofWorkspace("env status")
    static let intercepts = ofWorkspace("intercept list")
    static let machines = CompletionKind.shellCommand("kl machine list --quiet 2>/dev/null")

    /// Stands in a completion script for what its shell calls the line being written; `CompletionVerb` puts it there.
    static let line = "@LINE@"

    /// What `command` lists of the workspace that the line names, else of the one that this is.
    static func ofWorkspace(_ command: String) -> CompletionKind { .shellCommand("kl \(command) --quiet --completing \(line) 2>/dev/null") }
}

/// A command that does something; commands that only group others are plain `ParsableCommand`s.
protocol Verb: ParsableCommand {
    func run(in context: Context) async throws
}
