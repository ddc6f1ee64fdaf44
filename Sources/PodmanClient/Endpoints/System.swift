import NIOCore

extension PodmanClient {
    /// Returns when the service answers.
    /// - Throws: `PodmanError`.
    public func ping(timeout: Duration = .seconds(10)) async throws {
        try await perform(Call(method: .GET, path: "/_ping", timeout: TimeAmount(timeout)))
    }

    /// The service's version.
    /// - Throws: `PodmanError`.
    public func version() async throws -> PodmanVersion {
        try await decode(Call(method: .GET, path: "/version"))
    }

    /// What the service runs on.
    /// - Throws: `PodmanError`.
    public func info() async throws -> PodmanInfo {
        try await decode(Call(method: .GET, path: "/info"))
    }

    /// What happens to containers and images from now on, or since a Unix time. Ends when the service does.
    ///
    /// - Parameter filters: names such as `type`, `label`, `event` to accepted values.
    /// - Throws: `PodmanError`.
    public func events(since: Int? = nil, filters: [String: [String]] = [:]) async throws -> PodmanLines<PodmanEvent> {
        var query = [("stream", "true")]
        if let since { query.append(("since", String(since))) }
        if !filters.isEmpty { query.append(try Query.filters(filters)) }
        // The head arrives with the first event on some versions, so there is no time limit on it.
        let response = try await send(Call(method: .GET, path: "/events", query: query, timeout: .hours(24 * 365)))
        return PodmanLines(body: response.body)
    }
}
