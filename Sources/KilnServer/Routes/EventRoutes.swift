internal import HTTPTypes
internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    /// `GET /api/v1/events`: server-sent events, from now on, after `Last-Event-ID` or `?after=`, or from the current state of
    /// `?resource=ID` on; `?kind=` for one kind only.
    func addEvents(to table: inout RouteTable) {
        table.add(.get, Routes.events) { call in
            let kind = try call.query("kind").map { text in
                guard let kind = ResourceKind(rawValue: text) else {
                    let known = ResourceKind.allCases.map(\.rawValue).joined(separator: ", ")
                    throw KilnError(.invalidValue, "There is no kind \(text.printable(limit: 40)).", hint: "Use one of \(known).")
                }
                return kind
            }
            if let resource = try call.query("resource").map({ try ResourceID($0) }) { return try await follow(resource, call) }
            let start = try startOfEvents(call)
            let position: Int64
            if let start { position = start } else { position = try await store.lastSequence() }
            let feed = try await store.changes(after: position)
            return stream(feed, from: position, opening: "", call) { $0.kind == kind ?? $0.kind }
        }
    }

    private func follow(_ id: ResourceID, _ call: Call) async throws -> Response {
        guard let (sequence, kind, document) = try await store.snapshot(id) else {
            throw KilnError(.notFound, "There is no resource with the id \(id).")
        }
        try authorise(call, .follow, .resource(kind, owner: document.owner, id: id), named: id.value)
        let feed = try await store.changes(after: sequence)
        let current = EventText.changed(sequence, kind, document.json)
        return stream(feed, from: sequence, opening: current, call) { $0.id == id }
    }

    private func startOfEvents(_ call: Call) throws -> Int64? {
        guard let name = HTTPField.Name("Last-Event-ID"), let text = call.request.headers[name] ?? call.query("after") else { return nil }
        guard let sequence = Int64(text), sequence >= 0 else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 40))” is not an event's id.")
        }
        return sequence
    }

    private func stream(
        _ feed: ChangeFeed, from position: Int64, opening: String, _ call: Call, where wanted: @escaping @Sendable (Change) -> Bool
    ) -> Response {
        let (identity, heartbeat) = (call.identity, configuration.heartbeat)
        return .streaming(call, "text/event-stream") { pipe, _ in
            // The id alone is no event, but whoever reconnects before the first one goes on from here.
            try await pipe.write("id: \(position)\n\n\(opening)".utf8)
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask {
                    while true {
                        try await Task.sleep(for: .seconds(heartbeat))
                        try await pipe.write(":\n\n".utf8)
                    }
                }
                group.addTask {
                    for try await change in feed where wanted(change) {
                        let subject = Subject.resource(change.kind, owner: change.owner, id: change.id)
                        guard Permissions.decide(identity, .follow, subject) == .allow else { continue }
                        try await pipe.write(EventText.event(change).utf8)
                    }
                }
                try await group.next()
            }
        }
    }
}

/// Changes as server-sent events: `ResourceEvent`s whose resources are the JSON of the store.
enum EventText {
    static func event(_ change: Change) -> String {
        if let document = change.document { return changed(change.sequence, change.kind, document) }
        let data = #"{"deleted":{"kind":"\#(change.kind.rawValue)","id":"\#(change.id)"}}"#
        return "id: \(change.sequence)\nevent: deleted\ndata: \(data)\n\n"
    }

    static func changed(_ sequence: Int64, _ kind: ResourceKind, _ document: String) -> String {
        "id: \(sequence)\nevent: changed\ndata: {\"\(kind.noun)\":{\"_0\":\(document)}}\n\n"
    }
}
