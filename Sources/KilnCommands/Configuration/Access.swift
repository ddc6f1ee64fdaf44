internal import FoundationEssentials
internal import Glibc
internal import KilnAPI
internal import KilnModel

/// How this process reaches kilnd: `KILN_URL` and `KILN_TOKEN` before the workspace's socket before the configuration file.
struct Access: Sendable {
    let endpoint: Endpoint
    let token: String?
    /// Whether the workspace's own socket is used, which says who asks.
    let isInside: Bool

    init(environment: [String: String], workspaceSocket: String) throws(KilnError) {
        let url = environment["KILN_URL"].flatMap { $0.isEmpty ? nil : $0 }
        if url == nil, Self.isSocket(workspaceSocket) {
            endpoint = .unix(path: workspaceSocket)
            token = nil
            isInside = true
            return
        }
        let token = environment["KILN_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
        // A file that is not needed must not get in the way.
        let configuration = url != nil && token != nil ? Configuration() : try ConfigurationFile(environment: environment).read()
        endpoint = try (url ?? configuration.url).map { text throws(KilnError) in try Endpoint(text) } ?? .local
        self.token = try token.map { text throws(KilnError) in try Configuration.checked(token: text) } ?? configuration.token
        isInside = false
    }

    static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }
}

/// What `~/.config/kiln/config.json` holds.
struct Configuration: Codable, Equatable, Sendable {
    var url: String?
    var token: String?

    /// A token goes into an HTTP header: visible ASCII only.
    static func checked(token: String) throws(KilnError) -> String {
        guard !token.isEmpty, token.utf8.count <= 4096, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw KilnError(.invalidValue, "That is not a token: a token is one word of visible ASCII characters.", hint: "kl config set-token")
        }
        return token
    }
}
