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
        table.add(
            .get, Routes.events,
            .init(
                "followEvents", "Changes as server-sent events: from now on, after an id, or from the state of one resource on.",
                .init("kind", "Only of this kind.", ResourceKind.self),
                .init("resource", "Only of the one with this id; begins with its state.", ResourceID.self),
                .init("after", "The id of the last event that is known.", Int.self),
                .init("Last-Event-ID", "The same, as browsers say it.", Int.self, isHeader: true),
                answers: .ok(.stream("text/event-stream", of: ResourceEvent.self)))
        ) { call in
            let kind = try call.query("kind").map { try ResourceKind(noun: $0) }
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
        try authorise(call, .follow, document.subject(kind), named: id.value)
        let feed = try await store.changes(after: sequence)
        let current = EventText.changed(sequence, kind, id, try document.json(kind, for: call.identity))
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
                    var view = EventView(identity: identity)
                    for try await change in feed where wanted(change) {
                        if let text = try view.text(of: change) { try await pipe.write(text.utf8) }
                    }
                }
                try await group.next()
            }
        }
    }
}

/// What somebody sees of the changes.
private struct EventView {
    let identity: Identity
    /// What others share and was seen here: when it goes, that is told too.
    private var shared: Set<ResourceID> = []

    init(identity: Identity) { self.identity = identity }

    mutating func text(of change: Change) throws -> String? {
        // Whose it is says enough in all but a few cases.
        if Permissions.decide(identity, .follow, .resource(change.kind, owner: change.owner, id: change.id)) == .allow {
            return EventText.event(change)
        }
        guard change.kind == .environment else { return nil }
        guard let environment = try change.resource(Environment_.self) else { return shared.remove(change.id).map { _ in EventText.event(change) } }
        let subject = Subject.resource(.environment, owner: change.owner, id: change.id, sharedWith: Set(environment.spec.sharedWith))
        guard Permissions.decide(identity, .follow, subject) == .allow else { return nil }
        shared.insert(change.id)
        return EventText.changed(change.sequence, .environment, change.id, try RequestJSON.text(environment.withoutValues))
    }
}

/// Changes as server-sent events: `ResourceEvent`s whose resources are the JSON of the store.
enum EventText {
    static func event(_ change: Change) -> String {
        if let document = change.document { return changed(change.sequence, change.kind, change.id, document) }
        return text(change.sequence, .deleted, change.kind, change.id)
    }

    static func changed(_ sequence: Int64, _ kind: ResourceKind, _ id: ResourceID, _ document: String) -> String {
        text(sequence, .changed, kind, id, resource: document)
    }

    private static func text(
        _ sequence: Int64, _ change: ResourceEvent.Change, _ kind: ResourceKind, _ id: ResourceID, resource: String? = nil
    ) -> String {
        let data = #"{"kind":"\#(kind.noun)","id":"\#(id)","change":"\#(change)"\#(resource.map { #","resource":\#($0)"# } ?? "")}"#
        return "id: \(sequence)\nevent: \(change)\ndata: \(data)\n\n"
    }
}
