internal import HTTPTypes
internal import Hummingbird
internal import KilnControl
internal import KilnModel
internal import KilnStore
internal import ServiceLifecycle

/// How long the author of a change would like to wait for what it brings about: `Prefer: wait=SECONDS` (RFC 7240, section 4.3). One answer then
/// tells what the event stream would take a request of its own for.
struct Patience: Sendable {
    /// Nobody's connection is held for longer; whoever has more time follows the events.
    private static let limit = 5
    private static let field = HTTPField.Name("Prefer").unsafelyUnwrapped
    private static let applied = HTTPField.Name("Preference-Applied").unsafelyUnwrapped

    let seconds: Int

    /// nil when the request does not say, or says it in a way that is not understood: a preference binds nobody.
    init?(_ request: Request) {
        let preferences = request.headers[values: Self.field].flatMap { $0.split(separator: ",") }
        let wishes = preferences.compactMap { preference in
            let parts = preference.split(separator: "=").map { $0.filter { $0 != " " } }
            return parts.count == 2 && parts[0].lowercased() == "wait" ? Int(parts[1]) : nil
        }
        guard let wish = wishes.first, wish > 0 else { return nil }
        seconds = min(wish, Self.limit)
    }

    /// The answer to a change, with the resource as it is when it has settled, or as it is when the time is over.
    func answer(_ response: Response, to identity: Identity, from store: KilnStore) async throws -> Response {
        guard response.status == .created || response.status == .accepted,
            let tag = response.headers[.eTag].flatMap(VersionTag.init(text:)),
            let (sequence, kind, document) = try await store.snapshot(tag.id)
        else { return response }
        let settled = try document.isSettled(kind, version: tag.version)
        if !settled { try await wait(for: tag, kind, after: sequence, in: store) }
        // Whoever deleted it meanwhile has the last word in the events.
        guard let latest = settled ? document : try await store.snapshot(tag.id)?.document else { return response }
        var answer = Response.json(text: try latest.json(kind, for: identity), VersionTag(id: latest.id, version: latest.version))
        answer.status = response.status
        answer.headers[.location] = response.headers[.location]
        answer.headers[Self.applied] = "wait=\(seconds)"
        return answer
    }

    private func wait(for tag: VersionTag, _ kind: ResourceKind, after sequence: Int64, in store: KilnStore) async throws {
        let feed = try await store.changes(after: sequence)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(seconds)) } }
            group.addTask {
                for try await change in feed where change.id == tag.id {
                    if try change.isSettled(version: tag.version) { return }
                }
            }
            do { try await group.next() } catch is CancellationError {
                // kilnd stops: what is known by now is answered.
                try Task.checkCancellation()
            }
        }
    }
}

extension VersionTag {
    /// As it is written: `"ID.VERSION.DIGEST"`.
    fileprivate init?(text: String) {
        let parts = text.filter { $0 != "\"" }.split(separator: ".")
        guard parts.count == 3, let id = try? ResourceID(String(parts[0])), let version = Int(parts[1]) else { return nil }
        self.init(id: id, version: version)
    }
}

extension Document {
    fileprivate func isSettled(_ kind: ResourceKind, version: Int) throws -> Bool {
        switch kind {
        case .workmachine: try resource(Workmachine.self).isSettled
        case .workspace: try resource(Workspace.self).isSettled(version: version)
        case .environment: try resource(Environment_.self).isSettled(version: version)
        }
    }
}

extension Change {
    /// What was deleted does not change any more.
    fileprivate func isSettled(version: Int) throws -> Bool {
        switch kind {
        case .workmachine: try resource(Workmachine.self)?.isSettled ?? true
        case .workspace: try resource(Workspace.self)?.isSettled(version: version) ?? true
        case .environment: try resource(Environment_.self)?.isSettled(version: version) ?? true
        }
    }
}

extension Workmachine {
    fileprivate var isSettled: Bool { [.ready, .failed].contains(status.phase) }
}

extension Workspace {
    /// Whether what `version` asks for has come about, or has failed.
    fileprivate func isSettled(version: Int) -> Bool {
        status.observedVersion >= version && [.running, .suspended, .failed].contains(status.phase) && status.connection?.phase != .connecting
            && !status.intercepts.contains { $0.phase == .starting }
    }
}

extension Environment_ {
    /// Whether what `version` asks for has come about, or has failed.
    fileprivate func isSettled(version: Int) -> Bool {
        status.observedVersion >= version && [.running, .degraded, .stopped, .failed].contains(status.phase)
    }
}
