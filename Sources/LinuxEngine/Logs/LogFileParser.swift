import KilnModel

/// Turns a container's log as its monitor writes it into lines, from pieces of any size. Pure.
///
/// A line of the file is a time, `stdout` or `stderr`, `F` or `P`, and the text; after `P` the rest of the text comes in a later line
/// (Podman's `k8s-file`).
struct LogFileParser {
    let replica: Replica?
    private var rest: [UInt8] = []
    private var begun: [LogLine.Channel: LogLine] = [:]
    /// Bytes of a line at which it is given away as it is.
    private static let longest = 1 << 18

    init(replica: Replica?) { self.replica = replica }

    mutating func append(_ bytes: [UInt8]) -> [LogLine] {
        var lines: [LogLine] = []
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = rest.isEmpty ? bytes[start..<end] : (rest + bytes[start..<end])[...]
            rest = []
            if let line = take(line) { lines.append(line) }
            start = end + 1
        }
        rest += bytes[start...]
        return lines
    }

    /// Whether a line has begun that may go on.
    var isInLine: Bool { !begun.isEmpty }

    /// The lines that have begun, where nothing more is to be waited for.
    mutating func end() -> [LogLine] {
        defer { begun = [:] }
        return begun.values.sorted { $0.time < $1.time }
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>) -> LogLine? {
        let words = bytes.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 4, let time = Timestamp(utf8: words[0]) else { return nil }
        let channel: LogLine.Channel = words[1].elementsEqual("stderr".utf8) ? .error : .output
        var line =
            begun.removeValue(forKey: channel)
            ?? LogLine(service: replica?.service, replica: replica?.number, time: time, channel: channel, text: "")
        line.text += String(decoding: words[3], as: UTF8.self)
        guard words[2].elementsEqual("P".utf8), line.text.utf8.count < Self.longest else { return line }
        begun[channel] = line
        return nil
    }
}
