internal import FoundationEssentials
internal import KilnModel
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// The typed client of kilnd's API: HTTP/1.1 over TCP with a bearer token, or over a workspace's unix socket without one.
///
/// Consecutive calls share one connection. All errors are `KilnError`, or `CancellationError`.
public struct APIClient: Sendable {
    public let endpoint: Endpoint
    let token: String?
    /// Seconds that an answer to a change may take, so that it tells what the change has brought about (`Prefer: wait`); nil: none.
    public var patience: Int?
    private let group: MultiThreadedEventLoopGroup
    private let idle = IdleConnection()

    public init(endpoint: Endpoint, token: String?) {
        self.endpoint = endpoint
        self.token = token
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    }

    /// Closes the connection and has the event loop end, without waiting for its thread; no call may follow.
    public func close() async {
        await idle.take()?.close()
        group.shutdownGracefully { _ in }
    }

    /// Sends `request` and lets `read` take the answer. Statuses of 400 and above are thrown.
    func exchange<Value>(_ request: Request, _ read: (Answer) async throws -> Value) async throws -> Value {
        if let connection = await idle.take() {
            let answer = Answer(on: connection, endpoint: endpoint)
            do {
                return try await exchange(request, on: connection, answer, read)
            } catch let error as KilnError where error.code == .engineUnavailable && request.isRepeatable && !answer.hasBegun {
                // The server closed the idle connection just then: the request never arrived.
            }
        }
        let connection = try await Connection.open(to: endpoint, on: group)
        return try await exchange(request, on: connection, Answer(on: connection, endpoint: endpoint), read)
    }

    private func exchange<Value>(
        _ request: Request, on connection: Connection, _ answer: Answer, _ read: (Answer) async throws -> Value
    ) async throws -> Value {
        do {
            try await send(request, on: connection, answer)
            try await answer.check()
            let value = try await read(answer)
            if answer.keepsConnection { await idle.keep(connection) } else { await connection.close() }
            return value
        } catch {
            if answer.keepsConnection { await idle.keep(connection) } else { await connection.close() }
            throw error
        }
    }

    private func send(_ request: Request, on connection: Connection, _ answer: Answer) async throws {
        var head = request.head(authority: endpoint.authority, token: token)
        if let patience, request.changes { head.headers.add(name: "Prefer", value: "wait=\(patience)") }
        do {
            switch request.body {
            case .none: try await connection.send(.head(head), .end(nil))
            case .json(let bytes): try await connection.send(.head(head), .body(.byteBuffer(ByteBuffer(bytes: bytes))), .end(nil))
            case .open(let first): try await connection.send(.head(head), .body(.byteBuffer(ByteBuffer(bytes: first))))
            case .stream(_, let next):
                try await connection.send(.head(head))
                // A refusal that comes during the upload has to be read before the connection breaks, and ends it.
                connection.channel.read()
                while let piece = try await next() {
                    guard try await !connection.hasNews() else { throw UploadCutShort() }
                    try await connection.send(.body(.byteBuffer(ByteBuffer(bytes: piece))))
                }
                try await connection.send(.end(nil))
            }
        } catch let error as KilnError {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            // A server that refuses an upload answers before it has read it all: its answer says more than our broken write.
            do { try await answer.check() } catch let refusal as KilnError where refusal.code != .engineUnavailable {
                await connection.close()
                throw refusal
            }
            throw KilnError.brokenOff(at: endpoint, because: error)
        }
    }

    /// Opens a connection of its own for an exchange that does not end by itself.
    func connection() async throws -> Connection {
        if let connection = await idle.take() { return connection }
        return try await Connection.open(to: endpoint, on: group)
    }

    func call<Value: Decodable>(_ request: Request, as type: Value.Type = Value.self) async throws -> Value {
        try await exchange(request) { try await Self.decode(Value.self, from: $0.bytes()) }
    }

    /// `GET` of a list, all pages.
    func all<Item: Sendable & Codable>(_ path: String, _ query: [(String, String)]) async throws -> [Item] {
        var page: ResourceList<Item> = try await call(Request(method: .GET, path: path, query: query))
        var items = page.items
        while let next = page.next {
            page = try await call(Request(method: .GET, path: path, query: query + [("after", next)]))
            items += page.items
        }
        return items
    }

    /// For calls whose answer says nothing.
    func call(_ request: Request) async throws {
        try await exchange(request) { _ = try await $0.bytes() }
    }

    static func encode(_ value: some Encodable) throws -> [UInt8] {
        try [UInt8](JSONEncoder().encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw KilnError(
                .internalError, "kilnd's answer is not understood: \(error)", hint: "See whether kl and kilnd are of one version: kl version")
        }
    }
}

/// The server answered before it had the whole of an upload.
private struct UploadCutShort: Error {}

/// The one connection that waits for the next call.
private actor IdleConnection {
    private var connection: Connection?
    private var since = ContinuousClock.now

    /// The waiting connection, unless the server may have given it up already.
    func take() async -> Connection? {
        guard let found = connection else { return nil }
        connection = nil
        if found.isOpen, ContinuousClock.now - since < .seconds(2) { return found }
        await found.close()
        return nil
    }

    func keep(_ new: Connection) async {
        let old = connection
        connection = new
        since = ContinuousClock.now
        await old?.close()
    }
}
