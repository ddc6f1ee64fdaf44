internal import GRDB
public import KilnModel

extension KilnStore {
    /// Sends ports of a service to a workspace of its environment. One that the workspace intercepts already takes the new settings.
    /// - Parameters:
    ///   - environment: the one that the workspace is connected to, as far as the caller knows.
    ///   - takeOver: takes ports from the workspaces that intercept them; each is left with a status that says so.
    /// - Throws: `not-connected` when the workspace is not connected to that environment; `not-found` when that has no such service;
    ///   `intercepted` when another workspace has a port; what `InterceptWish.intercepts` throws; `wrong-phase` when the workspace is being
    ///   deleted.
    public func intercept(
        _ workspace: ResourceID, in environment: ResourceID, _ wish: InterceptWish, takeOver: Bool = false, expecting version: Int? = nil
    ) async throws -> Workspace {
        try await write { transaction in
            var winner = try transaction.existing(Workspace.self, workspace)
            try transaction.require(version, of: winner)
            guard winner.metadata.deletionRequestedAt == nil else { throw KilnError.isBeingDeleted(winner) }
            let target = try transaction.environment(environment, connectedTo: winner)
            let wanted = try wish.intercepts(declared: target.ports(of: wish.service), since: transaction.time)
            try transaction.take(Set(wanted.map(\.key)), for: winner, takeOver: takeOver)
            if winner.replaceIntercepts(by: wanted, now: transaction.time) { try transaction.save(winner) }
            return winner
        }
    }

    /// Ends a workspace's intercepts, of one service or all; asking again changes nothing.
    /// - Parameter ports: only these; nil: all.
    /// - Throws: `not-found` when it intercepts nothing of `service`, nor has lost anything of it.
    public func releaseIntercepts(
        _ workspace: ResourceID, service: Name? = nil, ports: Set<ServicePort>? = nil, expecting version: Int? = nil
    ) async throws -> Workspace {
        @Sendable func isMeant(_ key: Intercept.Key) -> Bool { (service ?? key.service) == key.service && ports?.contains(key.port) ?? true }
        return try await write { transaction in
            let before = try transaction.existing(Workspace.self, workspace)
            try transaction.require(version, of: before)
            var after = before
            after.spec.intercepts.removeAll { isMeant($0.key) }
            // The other entries stay until it was seen that they are out.
            after.status.intercepts.removeAll { $0.phase == .lost && isMeant($0.key) }
            if let service, !before.status.intercepts.contains(where: { $0.service == service }), after == before {
                throw KilnError(
                    .notFound, "The workspace \(before.metadata.name) intercepts no port of \(service).",
                    hint: "See what it does: kl intercept status"
                )
            }
            guard after != before else { return before }
            if after.spec != before.spec { after.metadata.version += 1 }
            try transaction.save(after)
            return after
        }
    }

    /// The workspaces that intercept something in an environment, by owner and name.
    public func workspaces(interceptingIn environment: ResourceID) async throws -> [Workspace] {
        try await read { try InterceptHolders.fetch(environment, in: $0) }
    }

    /// The workspaces that have addresses, by the index of each.
    public func workspaceNames(atAddresses indexes: Set<Int>) async throws -> [Int: QualifiedName] {
        guard !indexes.isEmpty else { return [:] }
        let list = indexes.map(String.init).joined(separator: ", ")
        let rows = try await read { db in
            try Row.fetchAll(
                db, sql: "SELECT address_index, owner, name FROM resource WHERE kind = ? AND address_index IN (\(list))",
                arguments: [ResourceKind.workspace.rawValue]
            ).map { ($0["address_index"] as Int, try Name($0["owner"]), try Name($0["name"])) }
        }
        return Dictionary(uniqueKeysWithValues: rows.map { ($0, QualifiedName(owner: $1, name: $2)) })
    }
}

enum InterceptHolders {
    static func fetch(_ environment: ResourceID, in db: Database) throws -> [Workspace] {
        try String.fetchAll(
            db,
            sql: """
                SELECT document FROM resource WHERE connection = ? AND json_array_length(document, '$.spec.intercepts') > 0
                ORDER BY owner, name
                """,
            arguments: [environment.value]
        ).map { try ResourceJSON.decode(Workspace.self, from: $0) }
    }
}

extension StoreTransaction {
    fileprivate func environment(_ id: ResourceID, connectedTo workspace: Workspace) throws -> Environment {
        let name = workspace.metadata.name
        guard workspace.spec.connection == id else { throw KilnError.notConnected(name) }
        let environment = try existing(Environment.self, id)
        guard environment.metadata.deletionRequestedAt == nil else {
            throw KilnError(
                .notConnected, "The environment \(environment.metadata.name), to which \(name) is connected, is being deleted.",
                hint: "Connect it to another: kl env connect NAME --workspace \(name)"
            )
        }
        return environment
    }

    /// Makes sure that no other workspace intercepts any of `keys`.
    fileprivate func take(_ keys: Set<Intercept.Key>, for winner: Workspace, takeOver: Bool) throws {
        guard let environment = winner.spec.connection else { return }
        let losers = try InterceptHolders.fetch(environment, in: database).filter { holder in
            holder.metadata.id != winner.metadata.id && holder.metadata.deletionRequestedAt == nil
                && holder.spec.intercepts.contains { keys.contains($0.key) }
        }
        guard takeOver || losers.isEmpty else { throw KilnError.intercepted(keys, by: losers) }
        for var loser in losers {
            loser.loseIntercepts(keys, to: winner.metadata, now: time)
            try save(loser)
        }
    }
}

extension Workspace {
    /// - Returns: whether anything changed. What failed and is asked for again is tried again.
    fileprivate mutating func replaceIntercepts(by wanted: [Intercept], now: Timestamp) -> Bool {
        let before = self
        for intercept in wanted {
            if let index = spec.intercepts.firstIndex(where: { $0.key == intercept.key }) {
                var changed = intercept
                changed.since = spec.intercepts[index].since
                spec.intercepts[index] = changed
            } else {
                spec.intercepts.append(intercept)
            }
        }
        let keys = Set(wanted.map(\.key))
        let failing = status.intercepts.contains { $0.phase == .failing && keys.contains($0.key) }
        status.expect(wanted, now: now)
        if spec != before.spec || failing { metadata.version += 1 }
        return self != before
    }

    fileprivate mutating func loseIntercepts(_ keys: Set<Intercept.Key>, to winner: Metadata, now: Timestamp) {
        let lost = spec.intercepts.filter { keys.contains($0.key) }
        spec.intercepts.removeAll { keys.contains($0.key) }
        status.intercepts.removeAll { keys.contains($0.key) }
        status.intercepts += lost.map { intercept in
            let reason = Reason(
                code: KilnError.Code.intercepted.value,
                message: "\(winner.owner)/\(winner.name) took \(intercept.key) over at \(now.text(fraction: 0)).",
                hint: "Take it back: kl intercept start \(intercept.service) --port \(intercept.port.number):\(intercept.targetText) --take-over"
            )
            return InterceptStatus(intercept, .lost, reason: reason, since: now)
        }
        metadata.version += 1
    }
}

extension Environment {
    /// - Throws: `not-found`, with the services that there are.
    fileprivate func ports(of name: Name) throws(KilnError) -> [ServicePort] {
        guard let service = spec.services.first(where: { $0.name == name }) else { throw .noService(name, in: self) }
        return service.ports
    }
}

extension KilnError {
    fileprivate static func intercepted(_ keys: Set<Intercept.Key>, by holders: [Workspace]) -> KilnError {
        let taken = holders.flatMap { holder in
            holder.spec.intercepts.filter { keys.contains($0.key) }.map { intercept in
                "\(intercept.key) is intercepted by \(holder.metadata.owner)/\(holder.metadata.name) since \(intercept.since.text(fraction: 0))"
            }
        }
        return KilnError(
            .intercepted, taken.joined(separator: ", ") + ".", hint: "Agree on it, or take it over: the same command with --take-over."
        )
    }
}
