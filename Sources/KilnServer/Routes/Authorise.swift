internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    /// Asks the table of permissions.
    /// - Throws: `not-allowed`, or `not-found` where the caller must not learn that there is something.
    func authorise(_ call: Call, _ action: Action, _ subject: Subject, named name: String? = nil) throws {
        if case .resource(let kind, let owner, let id, _) = subject { call.note.concerns(.init(kind: kind, owner: owner, id: id)) }
        switch Permissions.decide(call.identity, action, subject) {
        case .allow: return
        case .hide:
            guard case .resource(let kind, _, _, _) = subject else { fallthrough }
            throw KilnError.noSuch(kind, name ?? "that")
        case .deny:
            // Of several words, the last says what it is done to.
            let deed = action.rawValue.contains("-") ? action.rawValue.replacing("-", with: " ") : "\(action.rawValue) this"
            if case .workspace = call.identity {
                throw KilnError(.notAllowed, "A workspace may not \(deed).", hint: "Do it from outside the workspace.")
            }
            throw KilnError(.notAllowed, "\(call.identity.owner) may not \(deed).")
        }
    }

    /// The resource that the path names, once the caller may do `action` to it.
    /// - Throws: `not-found`, `not-allowed`, `invalid-name`.
    func resolve(_ kind: ResourceKind, _ call: Call, _ action: Action) async throws -> Document {
        try await resolve(kind, try call.reference(), owner: try call.owner(), call, action)
    }

    /// What a request is to change: the resource that the path names, and the version that it says it was made from.
    /// - Throws: as `resolve`; `stale-version`.
    func target(_ kind: ResourceKind, _ call: Call, _ action: Action) async throws -> (id: ResourceID, expected: Int?) {
        let document = try await resolve(kind, call, action)
        return (document.id, try call.expectedVersion(of: document, kind))
    }

    /// - Parameters:
    ///   - reference: an id, `[owner/]name`, or `@self`.
    ///   - owner: whose it is when the reference does not say.
    func resolve(_ kind: ResourceKind, _ reference: String, owner: Name, _ call: Call, _ action: Action) async throws -> Document {
        guard let document = try await find(kind, reference, owner: owner, call) else { throw KilnError.noSuch(kind, reference) }
        call.note.concerns(AuditRecord.Subject(kind: kind, owner: document.owner, name: document.name, id: document.id))
        try authorise(call, action, document.subject(kind), named: reference)
        return document
    }

    private func find(_ kind: ResourceKind, _ reference: String, owner: Name, _ call: Call) async throws -> Document? {
        if reference == Routes.selfReference {
            guard kind == .workspace, case .workspace(let id, _, _) = call.identity else {
                throw KilnError(.invalidName, "\(Routes.selfReference) means the workspace that asks; only a workspace can.")
            }
            return try await store.document(.workspace, id)
        }
        let name = try QualifiedName(reference)
        if let document = try await store.document(kind, owner: name.owner ?? owner, name: name.name) { return document }
        // Every id is a valid name too, so it has come this far.
        guard let id = try? ResourceID(reference) else { return nil }
        return try await store.document(kind, id)
    }
}

extension Document {
    /// As the table of permissions knows it.
    func subject(_ kind: ResourceKind) -> Subject { .resource(kind, owner: owner, id: id, sharedWith: sharedWith) }

    /// Its JSON as somebody may read it.
    func json(_ kind: ResourceKind, for identity: Identity) throws -> String {
        guard kind == .environment, Permissions.decide(identity, .readValues, subject(kind)) != .allow else { return json }
        return try RequestJSON.text(resource(Environment_.self).withoutValues)
    }
}

extension KilnError {
    static func noSuch(_ kind: ResourceKind, _ name: String) -> KilnError {
        KilnError(.notFound, "There is no \(kind.noun) \(name.printable(limit: 80)).", hint: "See which there are: \(kind.command) list")
    }
}
