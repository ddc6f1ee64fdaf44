internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    /// `/api/v1/tokens`, for admins.
    func addTokens(to table: inout RouteTable) {
        table.add(
            .post, Routes.tokens,
            .init("createToken", "Make a bearer token; its text is told this once.", body: .json(CreateToken.self), answers: .created(NewToken.self))
        ) { call in
            try authorise(call, .manageTokens, .installation)
            let body = try await call.body(CreateToken.self)
            let made = try await store.createToken(owner: body.owner, admin: body.admin ?? false, label: body.label ?? "")
            return try .json(status: .created, NewToken(token: TokenInfo(made.record), text: made.text))
        }
        table.add(
            .get, Routes.tokens,
            .init(
                "listTokens", "The tokens in force, without their texts.", .init("owner", "Only this owner's.", Name.self),
                answers: .ok(ResourceList<TokenInfo>.self))
        ) { call in
            try authorise(call, .manageTokens, .installation)
            let owner = try call.query("owner").map { try Name($0) }
            let tokens = try await store.tokens().filter { owner == nil || $0.owner == owner }
            return try .json(ResourceList(items: tokens.map { TokenInfo($0) }))
        }
        table.add(
            .delete, "\(Routes.tokens)/{id}", .init("revokeToken", "Refuse a token from now on.", answers: .empty(204, "It is refused from now on."))
        ) { call in
            try authorise(call, .manageTokens, .installation)
            try await store.revokeToken(try call.parameters.require("id"))
            return Response(status: .noContent)
        }
    }
}

extension TokenInfo {
    init(_ record: TokenRecord) {
        self.init(
            id: record.id, owner: record.owner, admin: record.admin, label: record.label, createdAt: record.createdAt, lastUsedAt: record.lastUsedAt)
    }
}
