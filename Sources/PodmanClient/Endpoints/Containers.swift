import NIOCore

extension PodmanClient {
    /// Makes a container and returns its id (64 hex digits).
    /// - Throws: `PodmanError`; `isNameConflict` when the name is taken, `isNoSuchImage` when the image is not in the store.
    public func createContainer(_ specification: ContainerSpecification) async throws -> String {
        let call = Call(
            method: .POST, path: "/containers/create", body: try Self.json(specification), contentType: "application/json", isRepeatable: false)
        return try await decode(call, as: CreateAnswer.self).id
    }

    /// Starts a container; done when it runs already.
    /// - Throws: `PodmanError`.
    public func startContainer(_ id: String) async throws {
        try await perform(Call(method: .POST, path: "/containers/\(Query.escape(id))/start"), accepting: [204, 304])
    }

    /// Stops a container: its stop signal, and SIGKILL after `timeout` seconds. Done when it is stopped or gone already.
    /// - Throws: `PodmanError`.
    public func stopContainer(_ id: String, timeout: Int?) async throws {
        let query = timeout.map { [("timeout", String($0))] } ?? []
        let patience = timeout.map { TimeAmount.seconds(Int64($0) + 60) } ?? .hours(1)
        let call = Call(method: .POST, path: "/containers/\(Query.escape(id))/stop", query: query, timeout: patience)
        try await perform(call, accepting: [204, 304, 404])
    }

    /// Sends a signal to a container's first process.
    /// - Parameter signal: `SIGTERM` or `TERM`, say.
    /// - Throws: `PodmanError`; 409 when it does not run.
    public func killContainer(_ id: String, signal: String) async throws {
        try await perform(Call(method: .POST, path: "/containers/\(Query.escape(id))/kill", query: [("signal", signal)], isRepeatable: false))
    }

    /// Removes a container; done when it is gone already.
    /// - Parameters:
    ///   - force: also when it runs.
    ///   - volumes: with its anonymous volumes.
    /// - Throws: `PodmanError`.
    public func removeContainer(_ id: String, force: Bool = true, volumes: Bool = true, timeout: Int? = nil) async throws {
        var query = [("force", String(force)), ("v", String(volumes))]
        if let timeout { query.append(("timeout", String(timeout))) }
        let call = Call(method: .DELETE, path: "/containers/\(Query.escape(id))", query: query, timeout: .minutes(2))
        try await perform(call, accepting: [200, 204, 404])
    }

    /// Mounts a container's root file system on the host and returns where. Each call wants an `unmountContainer`.
    /// - Throws: `PodmanError`.
    public func mountContainer(_ id: String) async throws -> String {
        let answer = try await send(Call(method: .POST, path: "/containers/\(Query.escape(id))/mount", isRepeatable: false))
        // The path as it is, and no JSON.
        return String(decoding: try await answer.body.collect(upTo: 1 << 16).readableBytesView.prefix { $0 >= 0x20 }, as: UTF8.self)
    }

    /// - Throws: `PodmanError`.
    public func unmountContainer(_ id: String) async throws {
        try await perform(Call(method: .POST, path: "/containers/\(Query.escape(id))/unmount", isRepeatable: false))
    }

    /// Whether there is a container of this name or id.
    /// - Throws: `PodmanError`.
    public func containerExists(_ id: String) async throws -> Bool {
        try await perform(Call(method: .GET, path: "/containers/\(Query.escape(id))/exists"), accepting: [204, 404]) == 204
    }

    /// A container as Podman knows it.
    /// - Throws: `PodmanError`; `isNoSuchContainer` when it is not there.
    public func inspectContainer(_ id: String) async throws -> ContainerInspection {
        try await decode(Call(method: .GET, path: "/containers/\(Query.escape(id))/json"))
    }

    /// All containers that carry every one of `labels` (`key` or `key=value`), running or not.
    /// - Throws: `PodmanError`.
    public func listContainers(labels: [String] = []) async throws -> [ListedContainer] {
        var query = [("all", "true")]
        if !labels.isEmpty { query.append(try Query.filters(["label": labels])) }
        return try await decode(Call(method: .GET, path: "/containers/json", query: query))
    }

    /// Waits until a container has ended and returns its exit status.
    /// - Throws: `PodmanError`.
    public func waitForContainer(_ id: String) async throws -> Int {
        let query = [("condition", "exited"), ("condition", "stopped")]
        return try await decode(Call(method: .POST, path: "/containers/\(Query.escape(id))/wait", query: query, timeout: .hours(24 * 365)))
    }

    /// What a running container uses now.
    /// - Throws: `PodmanError`.
    public func containerStatistics(_ id: String) async throws -> ContainerStatistics {
        let query = [("containers", id), ("stream", "false")]
        let answer = try await decode(Call(method: .GET, path: "/containers/stats", query: query), as: StatisticsAnswer.self)
        guard let statistics = answer.statistics?.first else {
            throw PodmanError(status: 404, message: "Podman has no statistics of the container \(id).", cause: "no such container")
        }
        return statistics
    }
}

private struct CreateAnswer: Decodable {
    var id: String

    enum CodingKeys: String, CodingKey { case id = "Id" }
}

private struct StatisticsAnswer: Decodable {
    var statistics: [ContainerStatistics]?

    enum CodingKeys: String, CodingKey { case statistics = "Stats" }
}
