/// One request that meant to change something: who asked for what, and what became of it. Never changed; the last 100,000 of 90 days are kept.
public struct AuditRecord: Sendable, Codable, Hashable {
    /// Who asked, and through what.
    public struct Actor: Sendable, Codable, Hashable {
        public var owner: Name
        public var isAdmin: Bool
        /// The id of the token that was shown.
        public var token: String?
        /// The workspace through whose socket the request came.
        public var workspace: ResourceID?

        public init(owner: Name, isAdmin: Bool = false, token: String? = nil, workspace: ResourceID? = nil) {
            self.owner = owner
            self.isAdmin = isAdmin
            self.token = token
            self.workspace = workspace
        }
    }

    /// The resource that it was about. It may be gone by now.
    public struct Subject: Sendable, Codable, Hashable {
        public var kind: ResourceKind
        public var owner: Name
        public var name: Name?
        /// nil for one that was to be made and was not.
        public var id: ResourceID?

        public init(kind: ResourceKind, owner: Name, name: Name? = nil, id: ResourceID? = nil) {
            self.kind = kind
            self.owner = owner
            self.name = name
            self.id = id
        }
    }

    /// Its place among all records; grows.
    public var sequence: Int
    public var time: Timestamp
    public var actor: Actor
    /// The operation by its name in the API's description: `createWorkspace`.
    public var action: String
    /// nil for what belongs to the installation.
    public var subject: Subject?
    /// The HTTP status it was answered with: below 400 it was done.
    public var status: Int
    /// The code of the problem it was refused with.
    public var code: String?

    public init(
        sequence: Int = 0, time: Timestamp = 0, actor: Actor, action: String, subject: Subject? = nil, status: Int, code: String? = nil
    ) {
        self.sequence = sequence
        self.time = time
        self.actor = actor
        self.action = action
        self.subject = subject
        self.status = status
        self.code = code
    }
}
