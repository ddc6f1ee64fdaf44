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
            let made = try await call.store.createToken(owner: body.owner, admin: body.admin ?? false, label: body.label ?? "")
            return try .json(status: .created, NewToken(token: TokenInfo(made.record), text: made.text))
        }
        table.add(
            .get, Routes.tokens,
            .init(
                "listTokens", "The tokens in force, without their texts, the oldest first.", .init("owner", "Only this owner's.", Name.self),
                .init("after", "The next of the page before."), .init("limit", "How many at most: 1 to 500, else 100.", Int.self),
                answers: .ok(ResourceList<TokenInfo>.self))
        ) { call in
            try authorise(call, .manageTokens, .installation)
            let owner = try call.query("owner").map { try Name($0) }
            let limit = try call.number("limit", in: 1...500) ?? 100
            var tokens = try await store.tokens().filter { owner == nil || $0.owner == owner }[...]
            if let after = call.query("after") {
                // One that was revoked meanwhile cannot be gone on from.
                guard let place = tokens.firstIndex(where: { $0.id == after }) else {
                    throw KilnError(
                        .invalidValue, "No token in force has the id \(after.printable(limit: 40)).", hint: "Begin anew, without ?after=.")
                }
                tokens = tokens[(place + 1)...]
            }
            let page = tokens.prefix(limit)
            return try .json(ResourceList(items: page.map { TokenInfo($0) }, next: page.count < tokens.count ? page.last?.id : nil))
        }
        table.add(
            .delete, "\(Routes.tokens)/{id}", .init("revokeToken", "Refuse a token from now on.", answers: .empty(204, "It is refused from now on."))
        ) { call in
            try authorise(call, .manageTokens, .installation)
            try await call.store.revokeToken(try call.parameters.require("id"))
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
