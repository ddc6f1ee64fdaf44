internal import KilnControl
internal import KilnModel
internal import KilnStore
internal import Synchronization

/// A request that changes the store. Its record, which the change carries along, says what it will be answered with.
final class RequestAuthor: ChangeAuthor {
    private let identity: Identity
    private let route: RouteDescription
    private let note: RequestNote
    private let status = Atomic(0)

    init(_ identity: Identity, _ route: RouteDescription, _ note: RequestNote) {
        self.identity = identity
        self.route = route
        self.note = note
    }

    func record(creating created: AuditRecord.Subject?) -> AuditRecord? {
        let current = note.current
        // Of several changes for one request the first tells of it.
        guard current.noted == nil else { return nil }
        let status = route.statusOfChange(creating: created != nil)
        self.status.store(status, ordering: .relaxed)
        return AuditRecord(
            actor: .init(identity, token: current.token), action: route.id, subject: created ?? current.subject, status: status)
    }

    func noted() { note.noted(status.load(ordering: .relaxed)) }
}

extension AuditRecord.Actor {
    init(_ identity: Identity, token: String?) {
        switch identity {
        case .user(let owner, let admin): self.init(owner: owner, isAdmin: admin, token: token)
        case .workspace(let id, let owner, _): self.init(owner: owner, workspace: id)
        }
    }
}
