internal import ArgumentParser
internal import FoundationEssentials
internal import KilnAPI
internal import KilnModel

/// What every verb takes that prints logs.
struct LogOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Go on as new lines come, also after a restart.") var follow = false
    @Option(help: ArgumentHelp("Only what was printed since: 10m ago, or at 2026-02-03T10:00:00Z.", valueName: "time"), transform: { try Since($0) })
    var since: Since?
    @Option(help: ArgumentHelp("Only the last lines.", valueName: "count")) var tail: Int?
    @Flag(name: .shortAndLong, help: "Begin each line with its time.") var timestamps = false

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail takes a count, 0 or more.") }
    }
}

/// A point in time as people write it: how long ago, or when.
enum Since: Sendable {
    case ago(Duration)
    case at(Timestamp)

    init(_ text: String) throws(KilnError) {
        if let time = Timestamp(utf8: text.utf8) {
            self = .at(time)
            return
        }
        do {
            self = .ago(try Quantity.duration(text))
        } catch {
            throw KilnError(error.code, error.message, hint: "Write it like 90s, 10m, 2h or 2026-02-03T10:00:00Z.")
        }
    }

    func time(now: Timestamp) -> Timestamp {
        switch self {
        case .ago(let duration): max(0, now - Double(duration.components.seconds))
        case .at(let time): time
        }
    }
}

/// Prints lines of logs: what went to standard error goes to standard error.
struct LogPrinter {
    let output: Output
    let json: Bool
    let timestamps: Bool
    /// Each begins its lines with its name, in a colour of its own; none: no line does.
    var services: [Name] = []
    /// How many containers each has; of several, lines begin with their own names.
    var replicas: [Name: Int] = [:]

    /// ECMA-48 SGR: cyan, yellow, green, magenta, blue, and their bright kin.
    private static let colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]

    /// With `json` one JSON value a line.
    func print(_ line: LogLine) throws {
        if json { return try output.jsonLine(line) }
        let channel = line.channel == .error ? output.error : output.standard
        let time = timestamps ? line.time.text(fraction: 3) + " " : ""
        channel.write("\(prefix(line, colours: channel.hasColours))\(time)\(line.text)\n")
    }

    private func prefix(_ line: LogLine, colours: Bool) -> String {
        guard let service = line.service, !services.isEmpty else { return "" }
        func name(_ service: Name, _ number: Int?) -> String {
            let count = replicas[service] ?? 1
            return Replica(service, number ?? max(1, count)).name(among: count)
        }
        let width = services.map { name($0, nil).count }.max() ?? 0
        let own = name(service, line.replica ?? 1)
        let text = own + String(repeating: " ", count: max(0, width - own.count)) + " | "
        guard colours else { return text }
        let place = services.firstIndex(of: service) ?? services.count
        return "\u{1B}[\(Self.colours[place % Self.colours.count])m\(text)\u{1B}[0m"
    }
}
