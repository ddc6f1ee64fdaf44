import KilnModel
import Testing

@testable import KilnCommands

@Suite("Verdicts on waiting") struct VerdictTests {
    private let reason = Reason(code: "image-not-found", message: "No such image.")

    @Test("an old status says nothing about a new version") func stale() {
        let workspace = Fixtures.workspace(version: 2, observed: 1, phase: .running)
        #expect(Verdict.running(workspace, version: 2) == .working(phase: "Running", activity: nil))
        #expect(Verdict.running(Fixtures.workspace(version: 2, observed: 2, phase: .running), version: 2) == .done)
        let failed = Fixtures.workspace(version: 2, observed: 1, phase: .failed, reason: reason)
        #expect(Verdict.running(failed, version: 2) == .working(phase: "Failed", activity: "No such image."))
    }

    @Test("a failure ends the wait with its reason") func failed() {
        #expect(Verdict.running(Fixtures.workspace(observed: 1, phase: .failed, reason: reason), version: 1) == .failed(reason))
        #expect(Verdict.suspended(Fixtures.workspace(observed: 1, phase: .suspended), version: 1) == .done)
    }

    @Test("a connection counts only for the environment asked for") func connected() {
        var workspace = Fixtures.workspace(observed: 1, phase: .running)
        #expect(Verdict.connected(workspace, to: Fixtures.shop, version: 1) == .working(phase: "Connecting", activity: nil))
        workspace.status.connection = .init(environment: Fixtures.id, phase: .connected, since: 0)
        #expect(Verdict.connected(workspace, to: Fixtures.shop, version: 1) == .working(phase: "Connecting", activity: nil))
        #expect(Verdict.disconnected(workspace, version: 1) == .working(phase: "Disconnecting", activity: nil))
        workspace.status.connection = .init(environment: Fixtures.shop, phase: .connected, since: 0)
        #expect(Verdict.connected(workspace, to: Fixtures.shop, version: 1) == .done)
        workspace.status.connection = .init(environment: Fixtures.shop, phase: .failed, since: 0, reason: reason)
        #expect(Verdict.connected(workspace, to: Fixtures.shop, version: 1) == .failed(reason))
        workspace.status.phase = .suspended
        #expect(Verdict.connected(workspace, to: Fixtures.shop, version: 1) == .done)
    }

    @Test("a degraded environment names the services that are not well") func degraded() throws {
        let bad = ServiceStatus(name: try Name("api"), phase: .exited, address: .init(198, 18, 0, 1), ports: [], exitStatus: 3, restarts: 0)
        let verdict = Verdict.running(Fixtures.environment(observed: 1, phase: .degraded, services: [bad]), version: 1)
        guard case .failed(let reason) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(reason.message == "Not all services are well: api (it ended with status 3).")
        #expect(reason.hint == "kl env logs shop api")
    }
}
