public import KilnModel

/// One change of one resource.
public struct Change: Sendable, Hashable {
    /// Its place in the feed; grows, never reused.
    public let sequence: Int64
    public let kind: ResourceKind
    public let id: ResourceID
    public let owner: Name
    /// The resource as JSON; nil when it was deleted.
    public let document: String?

    /// The other owners who may use it; of what was deleted, none.
    public var sharedWith: Set<Name> {
        get throws { kind == .environment ? Set(try resource(Environment.self)?.spec.sharedWith ?? []) : [] }
    }

    /// The resource, decoded; nil when it was deleted.
    public func resource<R: StoredResource>(_ type: R.Type) throws -> R? {
        try document.map { try ResourceJSON.decode(type, from: $0) }
    }
}

extension KilnError {
    /// Some of the changes that were asked for are no longer kept.
    public static let eventsExpired = KilnError(
        .init("events-expired", .conflict), "Events from that far back are no longer kept.",
        hint: "Read the resources again, then follow the events from now on."
    )
}

/// The changes of all resources from a point on, without end. Any number may follow; each reads from the table at its own pace, a batch
/// at a time, so that one that falls behind costs no memory.
public struct ChangeFeed: AsyncSequence, Sendable {
    public typealias Element = Change
    let store: KilnStore
    let after: Int64

    public func makeAsyncIterator() -> Iterator { Iterator(store: store, position: after) }

    public struct Iterator: AsyncIteratorProtocol, Sendable {
        private static let batchSize = 64
        let store: KilnStore
        var position: Int64
        var batch: ArraySlice<Change> = []

        /// - Throws: `events-expired` when it fell so far behind that changes are gone; `CancellationError`.
        public mutating func next() async throws -> Change? {
            while batch.isEmpty {
                try await store.signal.wait(beyond: position)
                let (position, limit) = (position, Self.batchSize)
                batch = try await store.read { try FeedTable.changes(after: position, limit: limit, in: $0) }[...]
            }
            let change = batch.removeFirst()
            position = change.sequence
            return change
        }
    }
}

extension KilnStore {
    /// The place in the feed of the last change.
    public func lastSequence() async throws -> Int64 {
        try await read { try FeedTable.lastSequence($0) }
    }

    /// The changes after a sequence.
    /// - Throws: `events-expired` when some of them are gone.
    public func changes(after sequence: Int64) async throws -> ChangeFeed {
        _ = try await read { try FeedTable.changes(after: sequence, limit: 0, in: $0) }
        return ChangeFeed(store: self, after: sequence)
    }
}
