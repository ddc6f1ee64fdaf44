public import KilnModel

/// Where kilnd answers.
public enum Endpoint: Sendable, Hashable, CustomStringConvertible {
    case tcp(host: String, port: Int)
    /// Absolute path of a unix socket.
    case unix(path: String)

    /// The address of a fresh installation.
    public static let local = Endpoint.tcp(host: "127.0.0.1", port: 7433)

    /// Parses `http://host[:port]` (IPv6 in brackets) or `unix:///path`.
    /// - Throws: `KilnError` with `invalid-value`; `https` is refused too, as kilnd serves plain HTTP on loopback only.
    public init(_ text: String) throws(KilnError) {
        if let path = text.dropping(prefix: "unix://") {
            guard path.hasPrefix("/"), path.utf8.count < 108, !path.utf8.contains(0) else { throw Self.refusal(of: text) }
            self = .unix(path: String(path))
            return
        }
        if text.hasPrefix("https://") {
            throw KilnError(
                .invalidValue, "“\(text.printable(limit: 120))” asks for TLS, which kilnd does not serve yet.",
                hint: "Forward its port, ssh -L 7433:127.0.0.1:7433 HOST, and use http://127.0.0.1:7433."
            )
        }
        guard var authority = text.dropping(prefix: "http://") else { throw Self.refusal(of: text) }
        if authority.hasSuffix("/") { authority = authority.dropLast() }
        var host = authority
        var port = 80
        if let bracket = authority.lastIndex(of: "]"), authority.hasPrefix("[") {
            host = authority[authority.index(after: authority.startIndex)..<bracket]
            let rest = authority[authority.index(after: bracket)...]
            if !rest.isEmpty { port = try Self.port(rest, of: text) }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = try Self.port(authority[colon...], of: text)
        }
        let plain = host.utf8.allSatisfy { ($0 > 0x2c && $0 < 0x7f) && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "@") && $0 != UInt8(ascii: "?") }
        guard !host.isEmpty, host.utf8.count <= 253, plain else { throw Self.refusal(of: text) }
        self = .tcp(host: String(host), port: port)
    }

    /// Parses `:port`.
    private static func port(_ part: Substring, of text: String) throws(KilnError) -> Int {
        guard part.hasPrefix(":"), let port = Int(part.dropFirst()), (1...65535).contains(port) else { throw refusal(of: text) }
        return port
    }

    private static func refusal(of text: String) -> KilnError {
        KilnError(.invalidValue, "“\(text.printable(limit: 120))” is not kilnd's address.", hint: "Write it like http://127.0.0.1:7433.")
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
        case .unix(let path): "unix://\(path)"
        }
    }

    /// The value of the `Host` header.
    var authority: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix: "kilnd"
        }
    }
}

extension String {
    func dropping(prefix: String) -> Substring? { hasPrefix(prefix) ? dropFirst(prefix.count) : nil }
}
