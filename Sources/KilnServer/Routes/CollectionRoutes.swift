internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    /// `?owner=*`: everybody's, for admins.
    private static let everybody = "*"
    private static let defaultLimit = 100
    private static let maximumLimit = 500

    /// `GET` of every kind's collection and items. What goes out lies in the store as it is: nothing is decoded.
    func addCollections(to table: inout RouteTable) {
        for kind in ResourceKind.allCases {
            table.add(.get, Routes.collection(kind)) { call in try await list(kind, call) }
            table.add(.get, Routes.item(kind, "{ref}")) { call in .json(text: try await resolve(kind, call, .read).json) }
        }
    }

    /// `?owner=`, `?workmachine=` (name or id), `?phase=`, `?prefix=`, `?after=` (the `next` of the page before), `?limit=`
    private func list(_ kind: ResourceKind, _ call: Call) async throws -> Response {
        var filter = ResourceFilter(phase: call.query("phase"), namePrefix: call.query("prefix"))
        let everybody = call.query("owner") == Self.everybody
        if !everybody { filter.owner = try call.owner() }
        if case .workspace(let id, _, _) = call.identity, kind == .workspace {
            filter.id = id
            try authorise(call, .list, .resource(kind, owner: call.identity.owner, id: id))
        } else if case .user(_, admin: true) = call.identity {
            try authorise(call, .list, .resource(kind, owner: call.identity.owner, id: nil))
        } else if everybody {
            throw KilnError(.notAllowed, "Only an admin may list everybody's \(kind.rawValue).")
        } else if let owner = filter.owner {
            // Another owner's list looks empty, as if there were no such owner.
            if Permissions.decide(call.identity, .list, .resource(kind, owner: owner, id: nil)) == .hide { return .json(text: #"{"items":[]}"#) }
            try authorise(call, .list, .resource(kind, owner: owner, id: nil))
        }
        if let workmachine = call.query("workmachine") {
            filter.workmachine = try await resolve(.workmachine, workmachine, owner: try ownerForLookup(call), call, .read).id
        }
        let after = try call.query("after").map { try QualifiedName($0) }
        let limit = try call.number("limit", in: 1...Self.maximumLimit) ?? Self.defaultLimit
        let page = try await store.documents(kind, where: filter, after: after, limit: limit)
        let items = page.documents.map(\.json).joined(separator: ",")
        // Owners and names hold nothing that JSON would have to escape.
        return .json(text: #"{"items":["# + items + "]" + (page.next.map { #","next":"\#($0)""# } ?? "") + "}")
    }

    private func ownerForLookup(_ call: Call) throws -> Name {
        call.query("owner") == Self.everybody ? call.identity.owner : try call.owner()
    }
}
