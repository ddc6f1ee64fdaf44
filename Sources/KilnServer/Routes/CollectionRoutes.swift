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
            let name = kind.noun.prefix(1).uppercased() + kind.noun.dropFirst()
            let (item, list) = Self.types(kind)
            table.add(
                .get, Routes.collection(kind),
                .init(
                    "list\(name)s", "A page of the \(kind.rawValue), in the order of owner and name.",
                    .init("owner", "Whose; * for everybody's, which admins may see. Default: the caller's.", String.self),
                    .init("workmachine", "Only those on it: its name or id."),
                    .init("phase", "Only those in this phase: \(kind.phases.joined(separator: ", "))."),
                    .init("prefix", "Only those whose name begins so."), .init("after", "The next of the page before."),
                    .init("limit", "How many at most: 1 to \(Self.maximumLimit), else \(Self.defaultLimit).", Int.self), answers: .ok(list))
            ) { call in try await self.list(kind, call) }
            table.add(.get, Routes.item(kind, "{ref}"), .init("get\(name)", "One \(kind.noun).", .ifNoneMatch, answers: .ok(item), .notModified)) {
                call in
                let document = try await resolve(kind, call, .read)
                let tag = VersionTag(id: document.id, version: document.version)
                return .json(text: try document.json(kind, for: call.identity), tag).unless(knownBy: call.request)
            }
        }
    }

    private static func types(_ kind: ResourceKind) -> (item: any (Decodable & Sendable).Type, list: any (Decodable & Sendable).Type) {
        switch kind {
        case .workmachine: (Workmachine.self, ResourceList<Workmachine>.self)
        case .workspace: (Workspace.self, ResourceList<Workspace>.self)
        case .environment: (Environment_.self, ResourceList<Environment_>.self)
        }
    }

    /// `?owner=`, `?workmachine=` (name or id), `?phase=`, `?prefix=`, `?after=` (the `next` of the page before), `?limit=`
    private func list(_ kind: ResourceKind, _ call: Call) async throws -> Response {
        var filter = ResourceFilter(
            phase: try call.query("phase").map { try kind.requirePhase($0) }, namePrefix: try call.query("prefix").map { try Name.requirePrefix($0) })
        let everybody = call.query("owner") == Self.everybody
        // Without a word about whose: one's own, and what others share.
        if kind == .environment, call.query("owner") == nil {
            filter.visibleTo = call.identity.owner
        } else if !everybody {
            filter.owner = try call.owner()
        }
        if case .workspace(let id, _, _) = call.identity, kind == .workspace {
            filter.id = id
            try authorise(call, .list, .resource(kind, owner: call.identity.owner, id: id))
        } else if case .user(_, admin: true) = call.identity {
            try authorise(call, .list, .resource(kind, owner: call.identity.owner, id: nil))
        } else if everybody {
            throw KilnError(.notAllowed, "Only an admin may list everybody's \(kind.rawValue).")
        } else if let owner = filter.owner, owner != call.identity.owner {
            // Of another's list only that is seen which is shared, as if there were nothing else.
            filter.visibleTo = call.identity.owner
        } else {
            try authorise(call, .list, .resource(kind, owner: call.identity.owner, id: nil))
        }
        if let workmachine = call.query("workmachine") {
            filter.workmachine = try await resolve(.workmachine, workmachine, owner: try ownerForLookup(call), call, .read).id
        }
        let after = try call.query("after").map { try Self.place($0) }
        let limit = try call.number("limit", in: 1...Self.maximumLimit) ?? Self.defaultLimit
        let page = try await store.documents(kind, where: filter, after: after, limit: limit)
        let items = try page.documents.map { try $0.json(kind, for: call.identity) }.joined(separator: ",")
        // Owners and names hold nothing that JSON would have to escape.
        return .json(text: #"{"items":["# + items + "]" + (page.next.map { #","next":"\#($0)""# } ?? "") + "}")
    }

    /// - Throws: `invalid-value` when it is no `next` of a page.
    private static func place(_ text: String) throws -> QualifiedName {
        if let name = try? QualifiedName(text), name.owner != nil { return name }
        throw KilnError(
            .invalidValue, "?after=\(text.printable(limit: 80)) is no next of a page.", hint: "Give the next of the page before, or leave it out.")
    }

    private func ownerForLookup(_ call: Call) throws -> Name {
        call.query("owner") == Self.everybody ? call.identity.owner : try call.owner()
    }
}

extension ResourceKind {
    /// What one of this kind can be in.
    fileprivate var phases: [String] {
        switch self {
        case .workmachine: Workmachine.Phase.allCases.map(\.rawValue)
        case .workspace: Workspace.Phase.allCases.map(\.rawValue)
        case .environment: Environment_.Phase.allCases.map(\.rawValue)
        }
    }

    fileprivate func requirePhase(_ text: String) throws(KilnError) -> String {
        guard phases.contains(text) else {
            throw KilnError(
                .invalidValue, "There is no phase \(text.printable(limit: 40)) of a \(noun).", hint: "Use one of \(phases.joined(separator: ", ")).")
        }
        return text
    }
}

extension Name {
    /// - Throws: `invalid-value` when no name begins so.
    fileprivate static func requirePrefix(_ text: String) throws(KilnError) -> String {
        // Whatever a name may have in its middle, a prefix may end with.
        guard (try? Name(text + (text.hasSuffix("-") ? "a" : ""))) != nil else {
            throw KilnError(.invalidValue, "No name begins with “\(text.printable(limit: 80))”.", hint: "Names have a-z, 0-9 and -.")
        }
        return text
    }
}
