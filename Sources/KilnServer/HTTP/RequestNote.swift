internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import Synchronization

/// What is found out about a request while it is answered, for the audit.
final class RequestNote: Sendable {
    struct Content: Sendable {
        /// The token that was shown; nil for a workspace's socket.
        var token: String?
        /// nil: no route was reached.
        var route: RouteDescription?
        var subject: AuditRecord.Subject?
        /// The status that was noted with a change; nil: none was made.
        var noted: Int?
    }

    private let content = Mutex(Content())

    var current: Content { content.withLock { $0 } }

    func begin(_ route: RouteDescription) { content.withLock { $0.route = route } }
    func identified(by token: String) { content.withLock { $0.token = token } }

    /// What the request is about: the first resource that its path or body names.
    func concerns(_ subject: @autoclosure () -> AuditRecord.Subject) {
        content.withLock { if $0.subject == nil { $0.subject = subject() } }
    }

    /// What is to be made is to have this name.
    func wishes(for name: Name) {
        content.withLock { if $0.subject?.id == nil { $0.subject?.name = name } }
    }

    /// What it changed was noted, to be answered with this status.
    func noted(_ status: Int) { content.withLock { $0.noted = status } }
}
