/// A program to run in a workspace or service.
public struct SessionRequest: Sendable, Codable, Hashable {
    public struct TerminalSize: Sendable, Codable, Hashable {
        public var columns: UInt16
        public var rows: UInt16

        public init(columns: UInt16, rows: UInt16) {
            self.columns = columns
            self.rows = rows
        }
    }

    /// Program and arguments; empty means the user's login shell.
    public var command: [String]
    /// A PTY of this size, or plain pipes.
    public var terminal: TerminalSize?
    /// Added to the login environment (`TERM`, say).
    public var variables: [EnvironmentVariable]

    public init(command: [String], terminal: TerminalSize? = nil, variables: [EnvironmentVariable] = []) {
        self.command = command
        self.terminal = terminal
        self.variables = variables
    }
}

/// One frame of a session's byte stream, in either direction: a type byte, a big-endian 32-bit length, the payload.
///
/// A client sends `request` first, then `input`, `inputEnd`, `resize` and `signal`; the engine answers with `output`, `errorOutput` and,
/// last, `exit` or `failure`.
public enum SessionFrame: Sendable, Hashable {
    /// JSON of a `SessionRequest`.
    case request([UInt8])
    case input([UInt8])
    case inputEnd
    case resize(SessionRequest.TerminalSize)
    /// A signal's number on Linux.
    case signal(UInt8)
    case output([UInt8])
    case errorOutput([UInt8])
    /// Exit status 0 to 255; a program ended by signal N exits with 128 + N.
    case exit(UInt8)
    /// JSON of a `KilnError`.
    case failure([UInt8])

    /// Longest payload a peer may send, in bytes.
    public static let maximumPayload = 1 << 20

    private var parts: (type: UInt8, payload: [UInt8]) {
        switch self {
        case .request(let bytes): (0, bytes)
        case .input(let bytes): (1, bytes)
        case .inputEnd: (2, [])
        case .resize(let size): (3, [UInt8(size.columns >> 8), UInt8(size.columns & 255), UInt8(size.rows >> 8), UInt8(size.rows & 255)])
        case .signal(let number): (4, [number])
        case .output(let bytes): (16, bytes)
        case .errorOutput(let bytes): (17, bytes)
        case .exit(let status): (18, [status])
        case .failure(let bytes): (19, bytes)
        }
    }

    public var encoded: [UInt8] {
        let (type, payload) = parts
        let length = UInt32(payload.count)
        var bytes: [UInt8] = [type, UInt8(length >> 24), UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255)]
        bytes.append(contentsOf: payload)
        return bytes
    }

    init(type: UInt8, payload: [UInt8]) throws(KilnError) {
        switch (type, payload.count) {
        case (0, _): self = .request(payload)
        case (1, _): self = .input(payload)
        case (2, 0): self = .inputEnd
        case (3, 4):
            self = .resize(.init(columns: UInt16(payload[0]) << 8 | UInt16(payload[1]), rows: UInt16(payload[2]) << 8 | UInt16(payload[3])))
        case (4, 1): self = .signal(payload[0])
        case (16, _): self = .output(payload)
        case (17, _): self = .errorOutput(payload)
        case (18, 1): self = .exit(payload[0])
        case (19, _): self = .failure(payload)
        default: throw KilnError(.invalidValue, "A session frame of type \(type) with \(payload.count) bytes is not known.")
        }
    }
}

/// Turns a byte stream into frames; feed it pieces of any size.
public struct SessionFrameDecoder: Sendable {
    private var buffer: [UInt8] = []
    private var offset = 0

    public init() {}

    public mutating func append(_ bytes: some Sequence<UInt8>) {
        if offset > 0, offset == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            offset = 0
        } else if offset > 1 << 16 {
            buffer.removeFirst(offset)
            offset = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole frame, or nil when more bytes are needed.
    /// - Throws: `KilnError` on an unknown type or a payload over `SessionFrame.maximumPayload`.
    public mutating func next() throws(KilnError) -> SessionFrame? {
        guard buffer.count - offset >= 5 else { return nil }
        let length = buffer[(offset + 1)..<(offset + 5)].reduce(0) { $0 << 8 | Int($1) }
        guard length <= SessionFrame.maximumPayload else {
            throw KilnError(.invalidValue, "A session frame of \(length) bytes is over the limit.")
        }
        guard buffer.count - offset - 5 >= length else { return nil }
        let payload = Array(buffer[(offset + 5)..<(offset + 5 + length)])
        let type = buffer[offset]
        offset += 5 + length
        return try SessionFrame(type: type, payload: payload)
    }
}
