import AsyncHTTPClient
import NIOCore

extension PodmanClient {
    /// What a container printed.
    ///
    /// - Parameters:
    ///   - follow: goes on until the container ends.
    ///   - tail: how many of the last lines; nil: all.
    ///   - timestamps: each piece begins with an RFC 3339 time and a space.
    /// - Throws: `PodmanError`; `isNoSuchContainer` when it is not there.
    public func containerLogs(_ id: String, follow: Bool = false, tail: Int? = nil, timestamps: Bool = false) async throws -> ContainerLog {
        let query = [
            ("stdout", "true"), ("stderr", "true"), ("follow", String(follow)), ("timestamps", String(timestamps)),
            ("tail", tail.map(String.init) ?? "all"),
        ]
        let call = Call(method: .GET, path: "/containers/\(Query.escape(id))/logs", query: query, timeout: .hours(24 * 365))
        return ContainerLog(body: try await send(call).body)
    }
}

/// The demultiplexed stream of a container's output: pieces in the order they were logged.
///
/// On the wire each piece has an eight-byte head: the channel (1 output, 2 error), three zero bytes, a big-endian length.
public struct ContainerLog: AsyncSequence, Sendable {
    public struct Element: Sendable, Hashable {
        public var isError: Bool
        /// A line with its newline, or a part of one without.
        public var bytes: [UInt8]
    }

    let body: HTTPClientResponse.Body

    public func makeAsyncIterator() -> Iterator { Iterator(chunks: body.makeAsyncIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
        var chunks: HTTPClientResponse.Body.AsyncIterator
        var buffer = ByteBuffer()

        init(chunks: HTTPClientResponse.Body.AsyncIterator) { self.chunks = chunks }

        public mutating func next() async throws -> Element? {
            while true {
                if let piece = try Self.takePiece(from: &buffer) { return piece }
                guard var chunk = try await chunks.next() else { return nil }
                buffer.discardReadBytes()
                buffer.writeBuffer(&chunk)
            }
        }

        static func takePiece(from buffer: inout ByteBuffer) throws -> Element? {
            guard let channel = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self),
                let length = buffer.getInteger(at: buffer.readerIndex + 4, as: UInt32.self)
            else { return nil }
            guard channel <= 3, length <= 64 << 20 else {
                throw PodmanError(status: 200, message: "Podman's log stream is not understood.")
            }
            guard let bytes = buffer.getBytes(at: buffer.readerIndex + 8, length: Int(length)) else { return nil }
            buffer.moveReaderIndex(forwardBy: 8 + Int(length))
            if channel == 3 { throw PodmanError(status: 200, message: String(decoding: bytes, as: UTF8.self)) }
            return Element(isError: channel == 2, bytes: bytes)
        }
    }
}
