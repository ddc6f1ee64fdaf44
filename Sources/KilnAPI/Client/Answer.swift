internal import KilnModel
internal import NIOCore
internal import NIOHTTP1

/// The answer to one request, read piece by piece.
final class Answer {
    private let connection: Connection
    private let endpoint: Endpoint
    private var headSeen: HTTPResponseHead?
    /// Whether the last piece was read, so that the connection may carry another exchange.
    private(set) var isComplete = false

    init(on connection: Connection, endpoint: Endpoint) {
        self.connection = connection
        self.endpoint = endpoint
    }

    var keepsConnection: Bool { isComplete && headSeen?.isKeepAlive == true }
    /// Whether the server has begun to answer.
    var hasBegun: Bool { headSeen != nil }

    /// Waits for status and headers.
    func head() async throws -> HTTPResponseHead {
        if let headSeen { return headSeen }
        guard case .head(let head) = try await part() else { throw KilnError.brokenOff(at: endpoint) }
        headSeen = head
        return head
    }

    /// The next piece of the body; nil at its end.
    func next() async throws -> ByteBuffer? {
        _ = try await head()
        guard !isComplete else { return nil }
        switch try await part() {
        case .body(let buffer): return buffer
        case .end:
            isComplete = true
            return nil
        case .head, nil: throw KilnError.brokenOff(at: endpoint)
        }
    }

    /// The whole body.
    /// - Parameter limit: the most bytes to take.
    func bytes(limit: Int = 64 << 20) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try await next() {
            guard bytes.count + piece.readableBytes <= limit else {
                throw KilnError(.internalError, "kilnd's answer is longer than \(limit) bytes.")
            }
            bytes.append(contentsOf: piece.readableBytesView)
        }
        return bytes
    }

    /// - Throws: the `KilnError` that an answer with status 400 and above stands for.
    func check() async throws {
        let head = try await head()
        guard head.status.code >= 400 else { return }
        throw try await KilnError(status: Int(head.status.code), type: head.headers.first(name: "Content-Type"), body: bytes(limit: 1 << 20))
    }

    private func part() async throws -> HTTPClientResponsePart? {
        do {
            return try await connection.next()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw KilnError.brokenOff(at: endpoint, because: error)
        }
    }
}
