internal import ArgumentParser
internal import KilnAPI
internal import KilnModel

/// What every verb takes that prints logs.
struct LogOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Go on as new lines come.") var follow = false
    @Option(help: ArgumentHelp("Only the last lines.", valueName: "count")) var tail: Int?

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail takes a count, 0 or more.") }
    }
}

/// Prints lines of logs: what went to standard error goes to standard error.
struct LogPrinter {
    let output: Output
    let json: Bool
    let showsService: Bool

    /// With `json` one JSON value a line.
    func print(_ line: LogLine) throws {
        if json { return try output.jsonLine(line) }
        let prefix = showsService ? (line.service.map { "\($0) | " } ?? "") : ""
        let channel = line.channel == .error ? output.error : output.standard
        channel.write("\(prefix)\(line.text)\n")
    }
}
