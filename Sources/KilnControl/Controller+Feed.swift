internal import KilnModel
internal import KilnStore
internal import WorkspaceEngine

/// What the controller has seen of each resource in the feed: it writes statuses itself, and must not answer its own words.
struct SeenVersions {
    struct Entry: Hashable {
        var version: Int
        /// Of a workspace: the environment its status says it is linked to.
        var connection: ResourceID?
        /// Of an environment: which services serve. Of a workmachine: whether it is ready.
        var serving: Set<String> = []
    }

    private(set) var entries: [ResourceID: Entry] = [:]

    /// - Returns: what was known before.
    mutating func note(_ id: ResourceID, _ entry: Entry?) -> Entry? {
        defer { entries[id] = entry }
        return entries[id]
    }
}

extension Controller {
    /// Asks for every resource to be looked at.
    func requestAll() async throws {
        for kind in ResourceKind.allCases {
            for id in try await store.ids(kind) { queue.request(ResourceReference(kind: kind, id: id), .changed) }
        }
    }

    /// Looks at what changed, from now on, without end.
    func followFeed() async throws {
        while true {
            let position = try await store.lastSequence()
            try await requestAll()
            do {
                for try await change in try await store.changes(after: position) { try await consider(change) }
            } catch let error as KilnError where error == .eventsExpired {
                logger.warning("fell behind the change feed; looking at everything again")
            }
        }
    }

    private func consider(_ change: Change) async throws {
        let key = ResourceReference(kind: change.kind, id: change.id)
        guard let entry = try SeenVersions.Entry(change) else {
            let before = seen.withLock { $0.note(change.id, nil) }
            if let environment = before?.connection { queue.request(.init(kind: .environment, id: environment), .changed) }
            return
        }
        let before = seen.withLock { $0.note(change.id, entry) }
        if before?.version != entry.version {
            // The status that a controller of the past wrote last is not a change; asking once too often costs little.
            builds.withLock { $0[change.id] }?.cancel()
            queue.request(key, .changed)
        }
        guard let before else { return }
        switch change.kind {
        case .workspace:
            // An environment that is being deleted waits for its workspaces to be unlinked.
            if let environment = before.connection, environment != entry.connection {
                queue.request(.init(kind: .environment, id: environment), .changed)
            }
        case .environment where before.serving != entry.serving || before.version != entry.version:
            for id in try await store.workspaces(connectedTo: change.id) { queue.request(.init(kind: .workspace, id: id), .changed) }
        case .workmachine where before.serving != entry.serving:
            for guest in try await store.guests(of: change.id) { queue.request(.init(kind: guest.kind, id: guest.id), .changed) }
        default: break
        }
    }
}

extension SeenVersions.Entry {
    /// - Returns: nil when the resource was deleted.
    init?(_ change: Change) throws {
        switch change.kind {
        case .workmachine:
            guard let workmachine = try change.resource(Workmachine.self) else { return nil }
            self.init(version: workmachine.metadata.version, serving: workmachine.status.phase == .ready ? ["ready"] : [])
        case .workspace:
            guard let workspace = try change.resource(Workspace.self) else { return nil }
            self.init(version: workspace.metadata.version, connection: workspace.status.connection?.environment)
        case .environment:
            guard let environment = try change.resource(Environment.self) else { return nil }
            let serving = environment.status.services.filter { $0.phase == .running || $0.phase == .healthy }
            self.init(version: environment.metadata.version, serving: Set(serving.map(\.name.value)))
        }
    }
}
