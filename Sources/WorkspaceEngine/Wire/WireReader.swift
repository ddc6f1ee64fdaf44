import KilnModel
import NIOCore

/// Cuts what comes in on a stream into lines or session frames. One task reads at a time.
actor WireReader {
    private let stream: WireStream
    private var buffer = ByteBuffer()
    private var frames = SessionFrameDecoder()

    init(_ stream: WireStream) { self.stream = stream }

    /// The next line, without its line feed; nil at the end.
    /// - Throws: `WireError` when the stream breaks, or ends within a line; `KilnError` for a line that is too long.
    func line() async throws -> ByteBuffer? {
        var searched = 0
        while true {
            let view = buffer.readableBytesView
            if let feed = view[(view.startIndex + searched)...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer.readSlice(length: feed - view.startIndex)
                buffer.moveReaderIndex(forwardBy: 1)
                return line
            }
            searched = buffer.readableBytes
            guard searched <= WireSettings.maximumMessage else {
                throw KilnError(.invalidValue, "A line of more than \(WireSettings.maximumMessage) bytes came in.")
            }
            guard var more = try await stream.next() else {
                guard searched == 0 else { throw WireError("The stream ended within a line.") }
                return nil
            }
            buffer.discardReadBytes()
            buffer.writeBuffer(&more)
        }
    }

    /// The line's JSON value; nil at the end.
    func value<Value: Decodable & Sendable>(_ type: Value.Type) async throws -> Value? {
        guard let line = try await line() else { return nil }
        return try WireJSON.decode(type, from: line)
    }

    /// The next bytes, in pieces as they come; nil at the end.
    func bytes() async throws -> [UInt8]? {
        if let rest = buffer.readBytes(length: buffer.readableBytes), !rest.isEmpty { return rest }
        return try await stream.next().map { Array($0.readableBytesView) }
    }

    /// The next session frame; nil at the end.
    func frame() async throws -> SessionFrame? {
        while true {
            if let frame = try frames.next() { return frame }
            guard let more = try await bytes() else { return nil }
            frames.append(more)
        }
    }
}
