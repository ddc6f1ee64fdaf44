public import KilnModel

/// What a path's `{ref}` says.
public enum Reference: Sendable, Hashable, CustomStringConvertible {
    case name(QualifiedName)
    case id(ResourceID)
    /// The workspace that asks, through its socket.
    case itself

    var segment: String {
        switch self {
        case .name(let name): name.name.value
        case .id(let id): id.value
        case .itself: Routes.selfReference
        }
    }

    var query: [(String, String)] {
        if case .name(let name) = self, let owner = name.owner { [("owner", owner.value)] } else { [] }
    }

    public var description: String {
        switch self {
        case .name(let name): name.description
        case .id(let id): id.value
        case .itself: "this workspace"
        }
    }
}
