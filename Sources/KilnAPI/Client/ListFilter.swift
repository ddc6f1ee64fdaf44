public import KilnModel

/// Which resources of a kind are wanted; what is nil does not restrict them.
public struct ListFilter: Sendable, Hashable {
    public enum Owner: Sendable, Hashable {
        case one(Name)
        /// For admins.
        case everybody
    }

    /// nil: the caller's, and what others share with the caller.
    public var owner: Owner?
    /// Name or id.
    public var workmachine: String?
    public var phase: String?
    /// Of the name.
    public var prefix: String?

    public init(owner: Owner? = nil, workmachine: String? = nil, phase: String? = nil, prefix: String? = nil) {
        self.owner = owner
        self.workmachine = workmachine
        self.phase = phase
        self.prefix = prefix
    }

    var query: [(String, String)] {
        var query: [(String, String)] = []
        switch owner {
        case .one(let name): query.append(("owner", name.value))
        case .everybody: query.append(("owner", "*"))
        case nil: break
        }
        if let workmachine { query.append(("workmachine", workmachine)) }
        if let phase { query.append(("phase", phase)) }
        if let prefix { query.append(("prefix", prefix)) }
        return query
    }
}
