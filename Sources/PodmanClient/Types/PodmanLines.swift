import AsyncHTTPClient
import FoundationEssentials
import NIOCore

/// A stream of JSON values, one a line, decoded as they are asked for.
public struct PodmanLines<Element: Decodable & Sendable>: AsyncSequence, Sendable {
    let body: HTTPClientResponse.Body

    public func makeAsyncIterator() -> Iterator { Iterator(chunks: body.makeAsyncIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
        var chunks: HTTPClientResponse.Body.AsyncIterator
        var buffer = ByteBuffer()

        init(chunks: HTTPClientResponse.Body.AsyncIterator) { self.chunks = chunks }

        /// - Throws: `PodmanError` on a line that is not understood; an I/O error when the stream breaks.
        public mutating func next() async throws -> Element? {
            while true {
                if let line = takeLine() {
                    if line.isEmpty { continue }
                    return try decode(line)
                }
                guard var chunk = try await chunks.next() else {
                    guard let rest = buffer.readBytes(length: buffer.readableBytes), !rest.isEmpty else { return nil }
                    return try decode(rest)
                }
                buffer.writeBuffer(&chunk)
            }
        }

        private mutating func takeLine() -> [UInt8]? {
            guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            let line = buffer.readBytes(length: end - buffer.readerIndex)
            buffer.moveReaderIndex(forwardBy: 1)
            buffer.discardReadBytes()
            return line
        }

        private func decode(_ line: [UInt8]) throws -> Element {
            do {
                return try JSONDecoder().decode(Element.self, from: Data(line))
            } catch {
                let text = String(decoding: line.prefix(200), as: UTF8.self)
                throw PodmanError(status: 0, message: "Podman's line “\(text)” is not understood: \(error).")
            }
        }
    }
}
