internal import NIOHTTP1

/// One request as the client's verbs write it.
struct Request {
    enum Body {
        case none
        case json([UInt8])
        /// `length` bytes, in pieces; nil ends it.
        case stream(length: Int, next: () async throws -> [UInt8]?)
        /// Pieces whose sender holds the connection: chunked, and not ended by the exchange itself.
        case open(first: [UInt8])
    }

    var method: HTTPMethod
    var path: String
    var query: [(String, String)] = []
    var headers: [(String, String)] = []
    var body: Body = .none

    /// Whether sending it twice does no more than sending it once.
    var isRepeatable: Bool {
        if case .none = body { method == .GET || method == .HEAD } else { false }
    }

    /// Whether it asks for a change and is answered with what has changed.
    var changes: Bool {
        switch body {
        case .none: method == .POST
        case .json: true
        case .stream, .open: false
        }
    }

    func head(authority: String, token: String?) -> HTTPRequestHead {
        var fields = HTTPHeaders([("Host", authority), ("User-Agent", "kl/\(KilnVersion.current)")])
        if let token { fields.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { fields.add(name: name, value: value) }
        switch body {
        case .none:
            if method != .GET, method != .HEAD { fields.add(name: "Content-Length", value: "0") }
        case .json(let bytes):
            fields.add(name: "Content-Type", value: "application/json")
            fields.add(name: "Content-Length", value: "\(bytes.count)")
        case .stream(let length, _):
            fields.add(name: "Content-Type", value: "application/octet-stream")
            fields.add(name: "Content-Length", value: "\(length)")
        case .open:
            fields.add(name: "Content-Type", value: "application/octet-stream")
            fields.add(name: "Transfer-Encoding", value: "chunked")
        }
        return HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: fields)
    }

    /// Path and query, percent-encoded (RFC 3986).
    var target: String {
        let encodedPath = path.split(separator: "/", omittingEmptySubsequences: false).map { Self.encode(String($0)) }.joined(separator: "/")
        let encodedQuery = query.map { "\(Self.encode($0.0))=\(Self.encode($0.1))" }.joined(separator: "&")
        return encodedQuery.isEmpty ? encodedPath : "\(encodedPath)?\(encodedQuery)"
    }

    private static func encode(_ text: String) -> String {
        let plain = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@".utf8)
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = text.utf8.flatMap { plain.contains($0) ? [$0] : [UInt8(ascii: "%"), digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
