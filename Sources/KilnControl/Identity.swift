public import KilnModel

/// Who asks: the bearer of a token, or a workspace through its own socket.
public enum Identity: Sendable, Hashable {
    case user(owner: Name, admin: Bool)
    case workspace(id: ResourceID, owner: Name, name: Name)

    /// Whose resources are meant when no owner is named.
    public var owner: Name {
        switch self {
        case .user(let owner, _): owner
        case .workspace(_, let owner, _): owner
        }
    }
}
