public import KilnModel

/// What can be asked for. Every route asks `Permissions` before it does anything.
public enum Action: String, Sendable, CaseIterable {
    case list, read, create, update, delete
    case suspend, resume, connect, disconnect, start, stop, restart
    case session, logs, report
    /// Send an environment's traffic to a workspace, and end that. Intercepting needs `connect` to the environment, too.
    case intercept, release
    /// Change the packages of a workspace.
    case managePackages = "manage-packages"
    /// Collect the garbage of a workmachine's package store.
    case collectGarbage = "collect-garbage"
    /// Look packages up in the index.
    case searchPackages = "search-packages"
    /// Follow the events of one kind.
    case follow
    /// Build contexts.
    case upload
    /// What values stand in an environment: of variables, in files, in commands.
    case readValues = "read-values"
    /// What a service runs with, for code that answers in its place.
    case surroundings
    /// Variables, files and secrets of an environment, and taking it elsewhere.
    case configure
    case share
    case readMetrics = "read-metrics"
    case readAudit = "read-audit"
    case manageTokens = "manage-tokens"
}

/// What an action is done to.
public enum Subject: Sendable, Hashable {
    /// A resource, or, with an id of nil, those of a kind.
    case resource(ResourceKind, owner: Name, id: ResourceID?, sharedWith: Set<Name> = [])
    /// What belongs to the installation.
    case installation
}

/// The one table of who may do what.
public enum Permissions {
    public enum Decision: Sendable, Hashable {
        case allow
        /// Refused, and said so.
        case deny
        /// Refused as if it did not exist: what is another owner's is nobody else's business.
        case hide
    }

    /// How an identity stands to a subject.
    enum Relation: Hashable, CaseIterable {
        case admin, owner, stranger
        /// Somebody with whom it is shared, or a workspace of theirs.
        case guest
        /// A workspace, to itself; to what else its owner has; to what others have.
        case itself, sibling, outsider
    }

    /// The part of the table about resources: what each relation may do to each kind. What is not here is refused.
    private static let resources: [Relation: [ResourceKind: Set<Action>]] = {
        let everything: [ResourceKind: Set<Action>] = [
            .workmachine: [.list, .read, .create, .delete, .follow, .collectGarbage],
            .workspace: [
                .list, .read, .create, .update, .delete, .suspend, .resume, .connect, .disconnect, .intercept, .release, .managePackages, .session,
                .logs, .report, .follow,
            ],
            .environment: [
                .list, .read, .create, .update, .delete, .connect, .start, .stop, .restart, .session, .logs, .follow, .readValues, .surroundings,
                .configure, .share,
            ],
        ]
        return [
            .admin: everything,
            .owner: everything,
            // No deleting, no resuming (it runs), no creating: a program gone wild in a workspace must not take more along than itself.
            .itself: [
                .workspace: [
                    .list, .read, .suspend, .connect, .disconnect, .intercept, .release, .managePackages, .session, .logs, .report, .follow,
                ]
            ],
            // Not other workspaces, whose variables may hold secrets.
            .sibling: [
                .environment: [.list, .read, .connect, .start, .stop, .restart, .session, .logs, .follow, .readValues, .surroundings]
            ],
            // To use it and to answer in a service's place, for which one has to know what that runs with. Not what it prints, which may be
            // anything.
            .guest: [.environment: [.list, .read, .connect, .follow, .surroundings]],
        ]
    }()

    /// The part about the installation.
    private static let installation: [Relation: Set<Action>] = [
        .admin: [.upload, .readMetrics, .readAudit, .manageTokens, .searchPackages],
        .owner: [.upload, .readMetrics, .searchPackages],
        .sibling: [.searchPackages],
    ]

    /// - Returns: the answer for `identity` that wants to do `action` to `subject`.
    public static func decide(_ identity: Identity, _ action: Action, _ subject: Subject) -> Decision {
        switch (subject, relation(of: identity, to: subject)) {
        case (.installation, let relation):
            return installation[relation, default: []].contains(action) ? .allow : .deny
        case (.resource(let kind, _, _, _), let relation):
            if resources[relation, default: [:]][kind, default: []].contains(action) { return .allow }
            return relation == .stranger || relation == .outsider ? .hide : .deny
        }
    }

    static func relation(of identity: Identity, to subject: Subject) -> Relation {
        switch (identity, subject) {
        case (.user(_, admin: true), _): .admin
        case (.user, .installation): .owner
        case (.user(let owner, _), .resource(_, let other, _, let guests)):
            owner == other ? .owner : guests.contains(owner) ? .guest : .stranger
        case (.workspace, .installation): .sibling
        case (.workspace(let id, _, _), .resource(.workspace, _, let other, _)) where other == id: .itself
        case (.workspace(_, let owner, _), .resource(_, let other, _, let guests)):
            owner == other ? .sibling : guests.contains(owner) ? .guest : .outsider
        }
    }
}
