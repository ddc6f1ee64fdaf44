public import KilnModel

/// One change on the event stream (`GET /api/v1/events`, server-sent events).
///
/// The SSE `id` is the position in the change feed, `event` is `changed` or `deleted`, `data` is the JSON of this value. With
/// `?resource=ID` the stream opens with the resource's current state, so that whoever waits cannot miss the change.
public enum ResourceEvent: Sendable, Codable, Hashable {
    case workmachine(Workmachine)
    case workspace(Workspace)
    case environment(Environment)
    case deleted(kind: ResourceKind, id: ResourceID)
}
