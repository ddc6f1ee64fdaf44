internal import FoundationEssentials
public import KilnModel
internal import NIOHTTP1

/// The verbs whose bodies are streams.
extension APIClient {
    /// `GET /events`: calls `each` with every event and its position until it returns false.
    /// - Parameters:
    ///   - resource: only its changes; the stream then opens with its current state.
    ///   - position: the last position seen, to go on from there.
    /// - Throws: `KilnError` with `engine-unavailable` when the stream ends before `each` is content.
    public func events(
        of resource: ResourceID? = nil, after position: String? = nil, _ each: (String?, ResourceEvent) async throws -> Bool
    ) async throws {
        var request = Request(method: .GET, path: Routes.events, headers: [("Accept", "text/event-stream")])
        if let resource { request.query = [("resource", resource.value)] }
        if let position { request.headers.append(("Last-Event-ID", position)) }
        try await exchange(request) { answer in
            var parser = ServerSentEventParser()
            while let piece = try await answer.next() {
                for event in parser.append(piece.readableBytesView) {
                    guard try await each(event.id, Self.decode(ResourceEvent.self, from: Array(event.data.utf8))) else { return }
                }
            }
            throw KilnError.brokenOff(at: endpoint)
        }
    }

    /// `GET …/logs`: calls `each` with every line. Ends at the newest line unless `follow`.
    /// - Parameters:
    ///   - services: of an environment; none: all.
    ///   - since: from when on.
    ///   - tail: how many of the last lines of each; nil: all.
    public func logs(
        of kind: ResourceKind, _ reference: Reference, services: [Name] = [], follow: Bool = false, since: Timestamp? = nil, tail: Int? = nil,
        _ each: (LogLine) async throws -> Void
    ) async throws {
        var request = Request(method: .GET, path: Routes.action(kind, reference.segment, .logs), query: reference.query)
        request.query += services.map { ("service", $0.value) }
        if follow { request.query.append(("follow", "true")) }
        if let since { request.query.append(("since", "\(since)")) }
        if let tail { request.query.append(("tail", "\(tail)")) }
        try await exchange(request) { answer in
            var lines = LineSplitter()
            while let piece = try await answer.next() {
                for line in lines.append(piece.readableBytesView) where !line.isEmpty {
                    try await each(Self.decode(LogLine.self, from: Array(line.utf8)))
                }
            }
            if let last = lines.remainder { try await each(Self.decode(LogLine.self, from: Array(last.utf8))) }
        }
    }

    /// `HEAD /contexts/{digest}`: whether kilnd holds that build context.
    public func hasContext(_ digest: ContentDigest) async throws -> Bool {
        do {
            try await call(Request(method: .HEAD, path: Routes.context(digest)))
            return true
        } catch let error as KilnError where error.code.category == .notFound {
            return false
        }
    }

    /// `PUT /contexts/{digest}`: uploads a build context's tar.
    /// - Parameters:
    ///   - length: its bytes.
    ///   - next: gives it piece by piece, nil at the end; called as fast as the server reads.
    public func putContext(_ digest: ContentDigest, length: Int, next: () async throws -> [UInt8]?) async throws {
        try await withoutActuallyEscaping(next) { next in
            try await call(Request(method: .PUT, path: Routes.context(digest), body: .stream(length: length, next: next)))
        }
    }
}
