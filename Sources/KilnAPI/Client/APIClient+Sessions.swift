public import KilnModel
internal import NIOCore
internal import NIOHTTP1

extension APIClient {
    /// `POST …/sessions`: runs a program in a workspace or service, both bodies open at once.
    ///
    /// `body` gets the two ends of the stream: the sender may be used from any task, the receiver from one. The program is hung up when `body`
    /// returns before it ended.
    public func runSession<Value>(
        in place: SessionPlace, _ request: SessionRequest, _ body: (SessionSender, SessionReceiver) async throws -> Value
    ) async throws -> Value {
        let post = try Request(
            method: .POST, path: place.path, query: place.query,
            body: .open(first: SessionFrame.request(Self.encode(request)).encoded)
        )
        let connection = try await connection()
        do {
            guard case .open(let first) = post.body else { preconditionFailure("a session's request is open") }
            try await connection.send(
                .head(post.head(authority: endpoint.authority, token: token)), .body(.byteBuffer(ByteBuffer(bytes: first)))
            )
            let receiver = SessionReceiver(Answer(on: connection, endpoint: endpoint))
            let value = try await body(SessionSender(connection: connection), receiver)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }
}

/// Where a session's program runs.
public enum SessionPlace: Sendable, Hashable {
    case workspace(Reference)
    /// nil: the first of its containers that runs.
    case service(Name, replica: Int? = nil, of: Reference)

    var path: String {
        switch self {
        case .workspace(let reference): Routes.action(.workspace, reference.segment, .sessions)
        case .service(_, _, let environment): Routes.action(.environment, environment.segment, .sessions)
        }
    }

    var query: [(String, String)] {
        switch self {
        case .workspace(let reference): reference.query
        case .service(let name, let replica, let environment):
            environment.query + [("service", name.value)] + (replica.map { [("replica", String($0))] } ?? [])
        }
    }
}

/// The sending end of a session.
public struct SessionSender: Sendable {
    let connection: Connection

    /// Returns when the socket took the frame.
    public func send(_ frame: SessionFrame) async throws {
        try await connection.send(.body(.byteBuffer(ByteBuffer(bytes: frame.encoded))))
    }
}

/// The receiving end of a session.
public final class SessionReceiver {
    private let answer: Answer
    private var decoder = SessionFrameDecoder()

    init(_ answer: Answer) { self.answer = answer }

    /// The next frame; nil at the end of the stream.
    /// - Throws: the `KilnError` of a refusal, or of a stream that breaks off.
    public func next() async throws -> SessionFrame? {
        try await answer.check()
        while true {
            if let frame = try decoder.next() { return frame }
            guard let piece = try await answer.next() else { return nil }
            decoder.append(piece.readableBytesView)
        }
    }
}
