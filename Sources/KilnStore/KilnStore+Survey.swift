internal import GRDB
public import KilnModel

/// How many resources of a kind are in a phase.
public struct ResourceCount: Sendable, Hashable {
    public let kind: ResourceKind
    public let phase: String
    public let count: Int
}

extension KilnStore {
    /// The ids of all resources of a kind, those whose deletion is not finished included.
    public func ids(_ kind: ResourceKind) async throws -> Set<ResourceID> {
        try await ids(sql: "SELECT id FROM resource WHERE kind = ?", kind.rawValue)
    }

    /// The workspaces that are, or want to be, connected to an environment.
    public func workspaces(connectedTo environment: ResourceID) async throws -> Set<ResourceID> {
        try await ids(sql: "SELECT id FROM resource WHERE connection = ?", environment.value)
    }

    /// The workspaces and environments on a workmachine.
    public func guests(of workmachine: ResourceID) async throws -> [(kind: ResourceKind, id: ResourceID)] {
        let rows = try await read { db in
            try Row.fetchAll(db, sql: "SELECT kind, id FROM resource WHERE workmachine = ?", arguments: [workmachine.value])
                .map { ($0["kind"] as String, $0["id"] as String) }
        }
        return try rows.compactMap { kind, id in
            guard let kind = ResourceKind(rawValue: kind) else { return nil }
            return (kind, try ResourceID(id))
        }
    }

    /// All resources by kind and phase.
    public func counts() async throws -> [ResourceCount] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT kind, phase, count(*) AS count FROM resource GROUP BY kind, phase ORDER BY kind, phase")
                .compactMap { row in
                    ResourceKind(rawValue: row["kind"]).map { ResourceCount(kind: $0, phase: row["phase"], count: row["count"]) }
                }
        }
    }

    private func ids(sql: String, _ argument: String) async throws -> Set<ResourceID> {
        let texts = try await read { db in try String.fetchAll(db, sql: sql, arguments: [argument]) }
        return Set(try texts.map { try ResourceID($0) })
    }
}
