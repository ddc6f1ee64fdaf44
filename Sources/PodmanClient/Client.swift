import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Podman's libpod REST API (paths of v4.0.0) over its unix socket.
///
/// While the service restarts, every call waits for the socket to answer again, up to `patience`; a call that can safely be done twice is also
/// sent again when its connection broke. Shut the client down with `shutdown()` before letting go of it.
public final class PodmanClient: Sendable {
    /// The path of the unix socket.
    public let socketPath: String
    let http: HTTPClient
    private let patience: TimeAmount
    private let base: String

    /// - Parameter patience: how long a call waits for a service that does not answer its socket.
    public init(socketPath: String, patience: Duration = .seconds(5)) {
        let patience = TimeAmount(patience)
        self.socketPath = socketPath
        self.patience = patience
        base = "http+unix://\(Query.escape(socketPath))/v4.0.0/libpod"
        var configuration = HTTPClient.Configuration()
        configuration.timeout = .init(connect: patience)
        // Each followed log and event stream holds a connection.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1024
        configuration.connectionPool.idleTimeout = .seconds(30)
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Closes all connections; calls under way fail.
    public func shutdown() async throws { try await http.shutdown() }

    /// A request of one call.
    struct Call {
        var method: HTTPMethod
        var path: String
        var query: [(String, String)] = []
        var body: HTTPClientRequest.Body?
        var contentType: String?
        /// Whether sending it a second time does no harm.
        var isRepeatable = true
        /// Until the response's head.
        var timeout: TimeAmount = .seconds(60)
    }

    /// Sends `call` and returns the response when its status is one of `accepting` (any 2xx when empty).
    /// - Throws: `PodmanError`, `CancellationError`.
    func send(_ call: Call, accepting: Set<UInt> = []) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: base + call.path + Query.text(call.query))
        request.method = call.method
        request.headers.add(name: "Host", value: "podman")
        if let contentType = call.contentType { request.headers.add(name: "Content-Type", value: contentType) }
        request.body = call.body
        let prepared = request
        let response = try await repeating(call) { try await self.http.execute(prepared, timeout: call.timeout) }
        let status = response.status.code
        guard accepting.isEmpty ? (200..<300).contains(status) : accepting.contains(status) else {
            throw try await Self.refusal(response)
        }
        return response
    }

    /// Sends `call` and decodes its JSON answer.
    func decode<Answer: Decodable>(_ call: Call, as type: Answer.Type = Answer.self) async throws -> Answer {
        let body = try await repeating(call) { try await self.send(call).body.collect(upTo: 64 << 20) }
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(body.readableBytesView))
        } catch {
            throw PodmanError(status: 0, message: "Podman's answer to \(call.method) \(call.path) is not understood: \(error).")
        }
    }

    /// Sends `call` and reads its answer to the end, so that the connection can be used again.
    @discardableResult
    func perform(_ call: Call, accepting: Set<UInt> = []) async throws -> UInt {
        try await repeating(call) {
            let response = try await self.send(call, accepting: accepting)
            for try await _ in response.body {}
            return response.status.code
        }
    }

    /// Does `attempt` again while connections break, until `patience` is over or when the call must not be repeated.
    private func repeating<Result>(_ call: Call, _ attempt: () async throws -> Result) async throws -> Result {
        let deadline = NIODeadline.now() + patience
        while true {
            do {
                return try await attempt()
            } catch let error as PodmanError {
                throw error
            } catch {
                try Task.checkCancellation()
                guard call.isRepeatable, Self.isBrokenConnection(error), NIODeadline.now() < deadline else {
                    throw PodmanError(status: 0, message: "Podman does not answer at \(socketPath): \(error).")
                }
            }
        }
    }

    static func json(_ value: some Encodable) throws -> HTTPClientRequest.Body {
        .bytes(ByteBuffer(bytes: try JSONEncoder().encode(value)))
    }

    private static func refusal(_ response: HTTPClientResponse) async throws -> PodmanError {
        let bytes = Data(try await response.body.collect(upTo: 1 << 20).readableBytesView)
        let status = Int(response.status.code)
        guard let body = try? JSONDecoder().decode(PodmanErrorBody.self, from: bytes) else {
            return PodmanError(status: status, message: String(decoding: bytes.prefix(500), as: UTF8.self))
        }
        return PodmanError(status: status, message: body.message, cause: body.cause ?? "")
    }

    /// A pooled connection of a service that ended fails at its next use; a new one then waits for the socket.
    private static func isBrokenConnection(_ error: any Error) -> Bool {
        if let error = error as? HTTPClientError { return error == .remoteConnectionClosed || error == .writeTimeout }
        if let error = error as? HTTPParserError { return error == .invalidEOFState }
        return error is IOError || error is ChannelError
    }
}
