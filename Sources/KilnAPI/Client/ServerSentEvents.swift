/// One server-sent event, its `data` lines joined by line feeds.
public struct ServerSentEvent: Sendable, Hashable {
    public var id: String?
    public var event: String?
    public var data: String

    public init(id: String? = nil, event: String? = nil, data: String) {
        self.id = id
        self.event = event
        self.data = data
    }
}

/// Turns the bytes of a `text/event-stream` into events; feed it pieces of any size. Grammar: WHATWG HTML, section 9.2.6.
public struct ServerSentEventParser: Sendable {
    private var lines = LineSplitter()
    private var event: String?
    private var data: [String] = []
    /// Stays until another `id` comes, as the grammar says.
    private var id: String?

    public init() {}

    /// The events that `bytes` completed. An event without `data` (a comment that keeps the connection open) is none.
    public mutating func append(_ bytes: some Sequence<UInt8>) -> [ServerSentEvent] {
        lines.append(bytes).compactMap { take($0) }
    }

    private mutating func take(_ line: String) -> ServerSentEvent? {
        guard !line.isEmpty else {
            defer {
                event = nil
                data = []
            }
            return data.isEmpty ? nil : ServerSentEvent(id: id, event: event, data: data.joined(separator: "\n"))
        }
        let colon = line.firstIndex(of: ":") ?? line.endIndex
        var value = colon == line.endIndex ? "" : line[line.index(after: colon)...]
        if value.hasPrefix(" ") { value = value.dropFirst() }
        switch line[..<colon] {
        case "data": data.append(String(value))
        case "event": event = String(value)
        case "id": id = String(value)
        default: break
        }
        return nil
    }
}

/// Cuts a byte stream into lines that end in LF or CR LF.
public struct LineSplitter: Sendable {
    private var rest: [UInt8] = []

    public init() {}

    /// The lines that `bytes` completed, without their ends.
    public mutating func append(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                rest.append(byte)
                continue
            }
            if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
            lines.append(String(decoding: rest, as: UTF8.self))
            rest.removeAll(keepingCapacity: true)
        }
        return lines
    }

    /// What stands after the last line end; nil when nothing does.
    public var remainder: String? { rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self) }
}
