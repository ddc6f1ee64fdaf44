import KilnModel
import Testing

@testable import KilnControl

/// Every action by every identity on every kind of thing, against a table written out by hand: what is in a set is allowed.
@Suite struct PermissionsTests {
    private static let anna = name("anna")
    private static let ben = name("ben")
    private static let own = ResourceID.random()
    private static let other = ResourceID.random()

    private static let admin = Identity.user(owner: ben, admin: true)
    private static let owner = Identity.user(owner: anna, admin: false)
    private static let stranger = Identity.user(owner: ben, admin: false)
    private static let inside = Identity.workspace(id: own, owner: anna, name: name("hello"))
    private static let foreignInside = Identity.workspace(id: other, owner: ben, name: name("hello"))

    private static let workmachines: Set<Action> = [.list, .read, .create, .delete, .follow, .collectGarbage]
    private static let workspaces: Set<Action> = [
        .list, .read, .create, .update, .delete, .suspend, .resume, .connect, .disconnect, .intercept, .release, .managePackages, .session, .logs,
        .report, .follow,
    ]
    private static let environments: Set<Action> = [
        .list, .read, .create, .update, .delete, .connect, .start, .stop, .restart, .session, .logs, .follow, .readValues, .surroundings, .configure,
        .share,
    ]

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let identity: Identity
        let subject: Subject
        let allowed: Set<Action>
        /// How the rest is refused.
        let refusal: Permissions.Decision
    }

    static let cases: [Case] = {
        let machine = Subject.resource(.workmachine, owner: anna, id: other)
        let workspace = Subject.resource(.workspace, owner: anna, id: own)
        let sibling = Subject.resource(.workspace, owner: anna, id: other)
        let environment = Subject.resource(.environment, owner: anna, id: other)
        let shared = Subject.resource(.environment, owner: anna, id: other, sharedWith: [ben])
        return [
            Case(testDescription: "admin, workmachine", identity: admin, subject: machine, allowed: workmachines, refusal: .deny),
            Case(testDescription: "admin, workspace", identity: admin, subject: workspace, allowed: workspaces, refusal: .deny),
            Case(testDescription: "admin, environment", identity: admin, subject: environment, allowed: environments, refusal: .deny),
            Case(
                testDescription: "admin, installation", identity: admin, subject: .installation,
                allowed: [.upload, .readMetrics, .readAudit, .manageTokens, .searchPackages],
                refusal: .deny),

            Case(testDescription: "owner, workmachine", identity: owner, subject: machine, allowed: workmachines, refusal: .deny),
            Case(testDescription: "owner, workspace", identity: owner, subject: workspace, allowed: workspaces, refusal: .deny),
            Case(testDescription: "owner, environment", identity: owner, subject: environment, allowed: environments, refusal: .deny),
            Case(
                testDescription: "owner, installation", identity: owner, subject: .installation, allowed: [.upload, .readMetrics, .searchPackages],
                refusal: .deny),

            Case(testDescription: "stranger, workmachine", identity: stranger, subject: machine, allowed: [], refusal: .hide),
            Case(testDescription: "stranger, workspace", identity: stranger, subject: workspace, allowed: [], refusal: .hide),
            Case(testDescription: "stranger, environment", identity: stranger, subject: environment, allowed: [], refusal: .hide),

            Case(
                testDescription: "workspace, itself", identity: inside, subject: workspace,
                allowed: [
                    .list, .read, .suspend, .connect, .disconnect, .intercept, .release, .managePackages, .session, .logs, .report, .follow,
                ], refusal: .deny
            ),
            Case(testDescription: "workspace, its owner's others", identity: inside, subject: sibling, allowed: [], refusal: .deny),
            Case(
                testDescription: "workspace, its owner's environment", identity: inside, subject: environment,
                allowed: [.list, .read, .connect, .start, .stop, .restart, .session, .logs, .follow, .readValues, .surroundings], refusal: .deny
            ),
            Case(testDescription: "workspace, its workmachine", identity: inside, subject: machine, allowed: [], refusal: .deny),
            Case(testDescription: "workspace, installation", identity: inside, subject: .installation, allowed: [.searchPackages], refusal: .deny),

            Case(testDescription: "another's workspace, workspace", identity: foreignInside, subject: workspace, allowed: [], refusal: .hide),
            Case(testDescription: "another's workspace, environment", identity: foreignInside, subject: environment, allowed: [], refusal: .hide),
            Case(
                testDescription: "guest, environment", identity: stranger, subject: shared,
                allowed: [.list, .read, .connect, .follow, .surroundings],
                refusal: .deny),
            Case(
                testDescription: "guest's workspace, environment", identity: foreignInside, subject: shared,
                allowed: [.list, .read, .connect, .follow, .surroundings], refusal: .deny),
            Case(testDescription: "owner of what is shared", identity: owner, subject: shared, allowed: environments, refusal: .deny),
            Case(testDescription: "another's workspace, workmachine", identity: foreignInside, subject: machine, allowed: [], refusal: .hide),
        ]
    }()

    @Test(arguments: cases)
    func `every action is allowed or refused as written here`(example: Case) {
        for action in Action.allCases {
            let expected: Permissions.Decision = example.allowed.contains(action) ? .allow : example.refusal
            #expect(Permissions.decide(example.identity, action, example.subject) == expected, "\(action)")
        }
    }

    @Test func `an id of another kind is not the workspace itself`() {
        let subject = Subject.resource(.environment, owner: Self.ben, id: Self.own)
        #expect(Permissions.decide(Self.inside, .read, subject) == .hide)
    }
}
