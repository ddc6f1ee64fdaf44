internal import FoundationEssentials
public import KilnModel

/// The verbs of admins.
extension APIClient {
    /// `GET /checks`
    public func checks() async throws -> [ServerCheck] {
        let list: ResourceList<ServerCheck> = try await call(Request(method: .GET, path: Routes.checks))
        return list.items
    }

    /// `GET /audit`: one page, the newest first.
    /// - Parameter after: `next` of the page before.
    public func audit(
        owner: Name? = nil, action: String? = nil, refused: Bool = false, limit: Int? = nil, after: String? = nil
    ) async throws -> ResourceList<AuditRecord> {
        var query: [(String, String)] = []
        if let owner { query.append(("owner", owner.value)) }
        if let action { query.append(("action", action)) }
        if refused { query.append(("refused", "true")) }
        if let limit { query.append(("limit", "\(limit)")) }
        if let after { query.append(("after", after)) }
        return try await call(Request(method: .GET, path: Routes.audit, query: query))
    }

    /// `POST /tokens`
    public func createToken(_ request: CreateToken) async throws -> NewToken {
        try await call(Request(method: .POST, path: Routes.tokens, body: .json(Self.encode(request))))
    }

    /// `GET /tokens`, all pages.
    public func tokens(of owner: Name? = nil) async throws -> [TokenInfo] {
        try await all(Routes.tokens, owner.map { [("owner", $0.value)] } ?? [])
    }

    /// `DELETE /tokens/{id}`
    public func revokeToken(_ id: String) async throws {
        try await call(Request(method: .DELETE, path: "\(Routes.tokens)/\(id)"))
    }
}
