internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    private static let defaultLimit = 100
    private static let maximumLimit = 1000

    /// `GET /api/v1/audit`
    func addAudit(to table: inout RouteTable) {
        table.add(
            .get, Routes.audit,
            .init(
                "listAudit", "Who did what, the newest first, for admins.", .init("owner", "Only what this owner asked for.", Name.self),
                .init("action", "Only this operation, as this document names it."), .init("refused", "Only what was not done.", Bool.self),
                .init("after", "The next of the page before.", Int.self),
                .init("limit", "How many at most: 1 to \(Self.maximumLimit), else \(Self.defaultLimit).", Int.self),
                answers: .ok(ResourceList<AuditRecord>.self))
        ) { call in
            try authorise(call, .readAudit, .installation)
            let action = try call.query("action").map { text in
                guard call.operations.contains(text) else {
                    throw KilnError(
                        .invalidValue, "There is no operation \(text.printable(limit: 40)).", hint: "They are called as in \(Routes.description).")
                }
                return text
            }
            let filter = AuditFilter(
                owner: try call.query("owner").map { try Name($0) }, action: action, refused: try call.flag("refused"))
            let limit = try call.number("limit", in: 1...Self.maximumLimit) ?? Self.defaultLimit
            let page = try await store.auditRecords(where: filter, before: try call.number("after", in: 0...Int.max), limit: limit)
            return try .json(ResourceList(items: page.records, next: page.next.map(String.init)))
        }
    }
}
