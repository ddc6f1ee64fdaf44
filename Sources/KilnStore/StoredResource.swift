public import KilnModel

/// A resource as the store keeps it: what of it is looked up, kept unique or refers to others.
public protocol StoredResource: Resource {
    var storedColumns: StoredColumns { get }
}

/// The columns beside a resource's JSON.
public struct StoredColumns: Sendable {
    var phase: String
    var workmachine: ResourceID?
    var connection: ResourceID?
    var addressIndex: Int?
    var rangeIndex: Int?
}

extension Workmachine: StoredResource {
    public var storedColumns: StoredColumns { StoredColumns(phase: status.phase.rawValue, rangeIndex: spec.rangeIndex) }
}

extension Workspace: StoredResource {
    public var storedColumns: StoredColumns {
        StoredColumns(
            phase: status.phase.rawValue, workmachine: spec.workmachine, connection: spec.connection, addressIndex: spec.addressIndex
        )
    }
}

extension Environment: StoredResource {
    public var storedColumns: StoredColumns {
        StoredColumns(
            phase: status.phase.rawValue, workmachine: spec.workmachine, addressIndex: spec.addressIndex, rangeIndex: spec.rangeIndex
        )
    }
}

extension ResourceKind {
    /// The command of `kl` that deals with it: `kl ws`.
    public var command: String {
        switch self {
        case .workmachine: "kl machine"
        case .workspace: "kl ws"
        case .environment: "kl env"
        }
    }
}
