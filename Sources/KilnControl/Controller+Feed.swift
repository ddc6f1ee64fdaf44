public import KilnModel
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
        /// Of a workspace: whether all but its packages is as it was last seen to be.
        var isObserved = false
    }

    private(set) var entries: [ResourceID: Entry] = [:]

    /// - Returns: what was known before.
    mutating func note(_ id: ResourceID, _ entry: Entry?) -> Entry? {
        defer { entries[id] = entry }
        return entries[id]
    }

    /// - Returns: whether the version is new; of what the feed has not told of yet, nothing is.
    mutating func note(_ id: ResourceID, newer version: Int) -> Bool {
        guard let known = entries[id], version > known.version else { return false }
        entries[id]?.version = version
        return true
    }
}

extension Controller {
    /// Asks for every resource to be looked at.
    func requestAll() async throws {
        for kind in ResourceKind.allCases {
            for id in try await store.ids(kind) { request(ResourceReference(kind: kind, id: id)) }
        }
    }

    /// Has a workspace that was changed just now looked at, without waiting for the feed to say so.
    public func changed(_ workspace: Workspace) {
        packageRuns.overtake(by: workspace)
        guard seen.withLock({ $0.note(workspace.metadata.id, newer: workspace.metadata.version) }) else { return }
        request(ResourceReference(kind: .workspace, id: workspace.metadata.id), isObserved: SeenVersions.Entry(workspace).isObserved)
    }

    /// Has a resource looked at, and what is looked at beside it.
    /// - Parameter isObserved: whether only the latter may have changed.
    private func request(_ key: ResourceReference, isObserved: Bool = false) {
        if key.kind == .workspace { packageQueue.request(key, .changed) }
        if !isObserved { queue.request(key, .changed) }
    }

    /// Looks at what changed, from now on, without end.
    func followFeed() async throws {
        while true {
            let position = try await store.lastSequence()
            try await noteAll()
            try await requestAll()
            do {
                for try await change in try await store.changes(after: position) { try await consider(change) }
            } catch let error as KilnError where error == .eventsExpired {
                logger.warning("fell behind the change feed; looking at everything again")
            }
        }
    }

    /// Takes note of how everything is, so that the first change of each can be told from what was.
    private func noteAll() async throws {
        try await noteAll(Workmachine.self) { .init($0) }
        try await noteAll(Workspace.self) { .init($0) }
        try await noteAll(Environment.self) { .init($0) }
    }

    private func noteAll<R: StoredResource>(_ type: R.Type, _ entry: (R) -> SeenVersions.Entry) async throws {
        var after: QualifiedName?
        repeat {
            let page = try await store.list(type, after: after, limit: 100)
            for resource in page.items { _ = seen.withLock { $0.note(resource.metadata.id, entry(resource)) } }
            after = page.next
        } while after != nil
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
            builds.withLock { $0[change.id] }?.cancel()
            request(key, isObserved: entry.isObserved)
        }
        let known = before ?? SeenVersions.Entry(version: 0)
        switch change.kind {
        case .workspace:
            // An environment that is being deleted waits for its workspaces to be unlinked.
            if let environment = known.connection, environment != entry.connection {
                queue.request(.init(kind: .environment, id: environment), .changed)
            }
        case .environment where known.serving != entry.serving || known.version != entry.version:
            for id in try await store.workspaces(connectedTo: change.id) { queue.request(.init(kind: .workspace, id: id), .changed) }
        case .workmachine where known.serving != entry.serving:
            for guest in try await store.guests(of: change.id) { request(.init(kind: guest.kind, id: guest.id)) }
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
            self.init(workmachine)
        case .workspace:
            guard let workspace = try change.resource(Workspace.self) else { return nil }
            self.init(workspace)
        case .environment:
            guard let environment = try change.resource(Environment.self) else { return nil }
            self.init(environment)
        }
    }

    init(_ workmachine: Workmachine) {
        self.init(version: workmachine.metadata.version, serving: workmachine.status.phase == .ready ? ["ready"] : [])
    }

    init(_ workspace: Workspace) {
        self.init(
            version: workspace.metadata.version, connection: workspace.status.connection?.environment,
            isObserved: workspace.status.observedVersion >= workspace.metadata.version)
    }

    init(_ environment: Environment) {
        let serving = environment.status.services.filter { $0.phase == .running || $0.phase == .healthy }
        self.init(version: environment.metadata.version, serving: Set(serving.map(\.name.value)))
    }
}
