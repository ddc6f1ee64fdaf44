import Glibc
import Synchronization

/// An HTTP server on a port of 127.0.0.1 (RFC 9112, one request a connection), for as long as a test runs.
final class LocalServer: Sendable {
    struct Request: Sendable, Hashable {
        var method: String
        /// As it came, escapes and query included.
        var target: String
        /// Names in lower case.
        var headers: [String: String]
    }

    struct Response: Sendable {
        var status = 200
        var headers: [String: String] = [:]
        var body: [UInt8] = []

        static let notFound = Response(status: 404)
        static func text(_ text: String) -> Response { Response(body: Array(text.utf8)) }
    }

    let port: UInt16
    private let socket: Int32
    private let answer: @Sendable (Request) -> Response
    private let seen = Mutex<[Request]>([])

    var address: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { seen.withLock { $0 } }

    static func with<Result>(
        _ answer: @escaping @Sendable (Request) -> Response, _ body: (LocalServer) async throws -> Result
    ) async throws -> Result {
        let server = try LocalServer(answer)
        defer { server.stop() }
        return try await body(server)
    }

    /// A server of the files in a folder.
    static func files(of folder: String) -> @Sendable (Request) -> Response {
        { request in
            var bytes: [UInt8] = []
            guard !request.target.contains(".."), let file = fopen(folder + request.target, "r") else { return .notFound }
            defer { fclose(file) }
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = fread(&buffer, 1, buffer.count, file)
                if count == 0 { return Response(body: bytes) }
                bytes += buffer[..<count]
            }
        }
    }

    private struct Failed: Error { let number = errno }

    private init(_ answer: @escaping @Sendable (Request) -> Response) throws {
        self.answer = answer
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = socket
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && listen(socket, 64) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard socket >= 0, isListening else { throw Failed() }
        port = UInt16(bigEndian: address.sin_port)
        Self.onThread { [self] in
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0 else { return }
                Self.onThread { [self] in serve(connection) }
            }
        }
    }

    private func stop() {
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        var head: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while !head.contains(Array("\r\n\r\n".utf8)) {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0, head.count < 1 << 16 else { return }
            head += buffer[..<count]
        }
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count == 3 else { return }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers[parts[0].lowercased()] = String(parts[1].drop(while: \.isWhitespace)) }
        }
        let request = Request(method: String(words[0]), target: String(words[1]), headers: headers)
        seen.withLock { $0.append(request) }
        let response = answer(request)
        var text = "HTTP/1.1 \(response.status) -\r\nContent-Length: \(response.body.count)\r\nConnection: close\r\n"
        for (name, value) in response.headers { text += "\(name): \(value)\r\n" }
        var rest = (Array((text + "\r\n").utf8) + (request.method == "HEAD" ? [] : response.body))[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { pointer in
                Unmanaged<Box>.fromOpaque(pointer!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
        pthread_detach(thread)
    }
}
