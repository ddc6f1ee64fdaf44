public import KilnModel

/// One change on the event stream (`GET /api/v1/events`, server-sent events).
///
/// The SSE `id` is the position in the change feed, `event` is `changed` or `deleted`, `data` is the JSON of this value:
/// `{"kind": "workspace", "id": "…", "change": "changed", "resource": {…}}`, without `resource` when it was deleted. With
/// `?resource=ID` the stream opens with the resource's current state, so that whoever waits cannot miss the change.
public enum ResourceEvent: Sendable, Hashable {
    case workmachine(Workmachine)
    case workspace(Workspace)
    case environment(Environment)
    case deleted(kind: ResourceKind, id: ResourceID)
}

extension ResourceEvent: KindCoded {
    public enum Change: String, Sendable, Codable, CaseIterable { case changed, deleted }

    public var kind: ResourceKind {
        switch self {
        case .workmachine: .workmachine
        case .workspace: .workspace
        case .environment: .environment
        case .deleted(let kind, _): kind
        }
    }

    public init(_ kind: ResourceKind, from values: KeyedDecodingContainer<TextKey>) throws {
        func resource<R: Resource>(_ type: R.Type) throws -> R? { try values.decodeIfPresent(type, forKey: "resource") }
        let (id, change) = (try values.decode(ResourceID.self, forKey: "id"), try values.decode(Change.self, forKey: "change"))
        let event: ResourceEvent? =
            switch kind {
            case .workmachine: try resource(Workmachine.self).map { .workmachine($0) }
            case .workspace: try resource(Workspace.self).map { .workspace($0) }
            case .environment: try resource(Environment.self).map { .environment($0) }
            }
        switch change {
        case .deleted: self = .deleted(kind: kind, id: id)
        case .changed:
            guard let event else {
                throw DecodingError.keyNotFound(TextKey("resource"), .init(codingPath: values.codingPath, debugDescription: "what has changed?"))
            }
            self = event
        }
    }

    public func encode(into values: inout KeyedEncodingContainer<TextKey>) throws {
        func encode(_ resource: some Resource) throws {
            try values.encode(resource.metadata.id, forKey: "id")
            try values.encode(Change.changed, forKey: "change")
            try values.encode(resource, forKey: "resource")
        }
        switch self {
        case .workmachine(let workmachine): try encode(workmachine)
        case .workspace(let workspace): try encode(workspace)
        case .environment(let environment): try encode(environment)
        case .deleted(_, let id):
            try values.encode(id, forKey: "id")
            try values.encode(Change.deleted, forKey: "change")
        }
    }
}
