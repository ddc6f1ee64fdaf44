import KilnModel
import Testing
import WorkspaceEngine

@testable import KilnControl

@Suite struct EnvironmentProgressTests {
    private func environment(_ services: [Service], _ desired: Environment.DesiredState = .running) -> Environment {
        Environment(
            metadata: Metadata(id: .random(), name: name("shop"), owner: name("anna"), createdAt: 0),
            spec: .init(workmachine: .random(), desiredState: desired, services: services, addressIndex: 1, rangeIndex: 1, volumeSet: .random())
        )
    }

    private func status(_ text: String, _ phase: ServiceStatus.Phase, exit: Int? = nil, restarts: Int = 0) -> ServiceStatus {
        ServiceStatus(name: name(text), phase: phase, address: AddressPlan.virtual(1), ports: [], exitStatus: exit, restarts: restarts)
    }

    private func judged(_ services: [Service], _ statuses: ServiceStatus..., hasRun: Bool = false) -> Environment.Status {
        var environment = environment(services)
        if hasRun {
            environment.status.phase = .running
            environment.status.observedVersion = 1
        }
        return EnvironmentProgress.observed(environment, statuses, now: 5)
    }

    @Test func `running once everything runs or is healthy`() throws {
        let services = [try service("db", check: true), try service("api", index: 2)]
        #expect(judged(services, status("db", .healthy), status("api", .running)).phase == .running)
        let waiting = judged(services, status("db", .starting), status("api", .running))
        #expect(waiting.phase == .starting)
        #expect(waiting.activity == "waiting for db to be healthy")
        #expect(judged(services, status("db", .running), status("api", .running)).phase == .starting)
        #expect(judged(services, status("api", .running)).activity == "starting db")
        #expect(judged([]).phase == .running)
    }

    @Test func `a service that others wait for must end well`() throws {
        let services = [
            try service("migrate"), try service("api", index: 2, needs: [.init(service: name("migrate"), condition: .completed)]),
        ]
        #expect(judged(services, status("migrate", .running), status("api", .waiting)).activity == "waiting for migrate to finish")
        #expect(judged(services, status("migrate", .exited, exit: 0), status("api", .running)).phase == .running)
        let failed = judged(services, status("migrate", .exited, exit: 3), status("api", .waiting))
        #expect(failed.phase == .failed)
        #expect(failed.reason?.message == "migrate ended with status 3.")
        #expect(failed.reason?.hint == "See what it said: kl env logs shop migrate")
    }

    @Test func `a service that comes back by itself has not failed`() throws {
        #expect(judged([try service("api", restart: .always)], status("api", .exited, exit: 1)).phase == .starting)
        #expect(judged([try service("api", restart: .always)], status("api", .exited, exit: 0)).phase == .starting)
        let three = try service("api", restart: .onFailure(maximumRetries: 3))
        #expect(judged([three], status("api", .exited, exit: 1, restarts: 2)).phase == .starting)
        #expect(judged([three], status("api", .exited, exit: 1, restarts: 3)).phase == .failed)
        #expect(judged([three], status("api", .exited, exit: 0)).phase == .running)
    }

    @Test func `a crash loop fails what has nothing else to wait for, and says what was printed last`() throws {
        let services = [try service("db", check: true), try service("api", index: 2, restart: .always)]
        var loop = status("api", .crashLoop, exit: 1, restarts: 5)
        loop.reason = Reason(code: "crash-loop", message: "api ended with status 1, 6 times in a row.")
        loop.crash = Crash(times: 6, nextTry: 9, lastLines: ["no db", "bye"])
        // The database may be what it needs.
        #expect(judged(services, status("db", .starting), loop).phase == .starting)
        let failed = judged(services, status("db", .healthy), loop)
        #expect(failed.phase == .failed)
        #expect(failed.reason?.message == "api ended with status 1, 6 times in a row. It said last: “no db” “bye”")
        #expect(failed.reason?.hint == "See what it said: kl env logs shop api")
        #expect(judged(services, status("db", .healthy), loop, hasRun: true).phase == .degraded)
        #expect(judged(services, status("db", .waiting), loop).phase == .failed)
    }

    @Test func `what ran before and breaks is degraded, unless nothing is left`() throws {
        let services = [try service("db"), try service("api", index: 2)]
        #expect(judged(services, status("db", .running), status("api", .exited, exit: 1), hasRun: true).phase == .degraded)
        #expect(judged(services, status("db", .exited, exit: 1), status("api", .exited, exit: 1), hasRun: true).phase == .failed)
        #expect(judged(services, status("db", .running), status("api", .starting), hasRun: true).phase == .degraded)
    }

    @Test func `an unhealthy service degrades, and fails what waits for its health`() throws {
        let db = try service("db", check: true)
        let api = try service("api", index: 2, needs: [.init(service: name("db"), condition: .healthy)])
        #expect(judged([db], status("db", .unhealthy)).phase == .degraded)
        #expect(judged([db, api], status("db", .unhealthy), status("api", .waiting)).phase == .failed)
        #expect(judged([db, api], status("db", .unhealthy), status("api", .running), hasRun: true).phase == .degraded)
    }

    @Test func `stopped once nothing runs`() throws {
        let stopping = EnvironmentProgress.observed(environment([try service("db")], .stopped), [status("db", .running)], now: 5)
        #expect(stopping.phase == .stopping)
        #expect(EnvironmentProgress.observed(environment([try service("db")], .stopped), [status("db", .stopped)], now: 5).phase == .stopped)
    }

    @Test func `what failed stays failed until it changes`() throws {
        var environment = environment([try service("db")])
        environment.status = EnvironmentProgress.failed(environment, KilnError(.imageNotFound, "no"), failures: 0, now: 5)
        #expect(environment.status.phase == .failed)
        #expect(EnvironmentProgress.begun(environment, now: 6) == environment.status)
        environment.metadata.version = 2
        #expect(EnvironmentProgress.begun(environment, now: 6).phase == .starting)
    }
}

@Suite struct WorkspaceProgressTests {
    private let shop = ResourceID.random()

    private func workspace(_ phase: Workspace.Phase, _ desired: Workspace.DesiredState = .running, version: Int = 1) -> Workspace {
        var workspace = Workspace(
            metadata: Metadata(id: .random(), name: name("hello"), owner: name("anna"), version: version, createdAt: 0),
            spec: .init(
                workmachine: .random(), image: imageReference, limits: .init(milliCPUs: 1, memory: 1, pids: 1), desiredState: desired, addressIndex: 1
            )
        )
        workspace.status.phase = phase
        return workspace
    }

    private var imageReference: ImageReference {
        do { return try ImageReference("a/b") } catch { preconditionFailure("\(error)") }
    }

    @Test func `a new one starts, one that runs is left running while it is looked at`() {
        #expect(WorkspaceProgress.begun(workspace(.pending), .none, now: 5).phase == .starting)
        #expect(WorkspaceProgress.begun(workspace(.running), .none, now: 5).phase == .running)
        #expect(WorkspaceProgress.begun(workspace(.running, .suspended), .none, now: 5).phase == .suspending)
        #expect(WorkspaceProgress.begun(workspace(.suspended, .suspended), .none, now: 5).phase == .suspended)
    }

    @Test func `running is what was verified, never what was hoped`() {
        let starting = workspace(.starting)
        #expect(WorkspaceProgress.observed(starting, .none, .init(state: .running), now: 5).phase == .running)
        #expect(WorkspaceProgress.observed(starting, .none, .init(state: .suspended), now: 5).phase == .starting)
    }

    @Test func `a connection is connecting, then connected, and keeps its time`() {
        var workspace = workspace(.running, version: 2)
        let link = WorkspaceProgress.Link.wanted(ConnectionTarget(environment: shop, probe: nil))
        workspace.status = WorkspaceProgress.begun(workspace, link, now: 5)
        #expect(workspace.status.connection?.phase == .connecting)
        #expect(workspace.status.observedVersion == 2)
        workspace.status = WorkspaceProgress.observed(workspace, link, .init(state: .running, connected: shop), now: 6)
        #expect(workspace.status.connection == .init(environment: shop, phase: .connected, since: 6))
        #expect(WorkspaceProgress.begun(workspace, link, now: 9) == workspace.status)
        #expect(WorkspaceProgress.observed(workspace, link, .init(state: .running, connected: shop), now: 9) == workspace.status)
        #expect(WorkspaceProgress.observed(workspace, .none, .init(state: .running), now: 9).connection == nil)
    }

    @Test func `a failed connection does not flicker while it is tried again`() {
        var workspace = workspace(.running)
        let link = WorkspaceProgress.Link.wanted(ConnectionTarget(environment: shop, probe: nil))
        let failure = KilnError(.probeFailed, "no answer")
        workspace.status = WorkspaceProgress.observed(workspace, link, .init(state: .running, connectionFailure: failure), now: 6)
        #expect(workspace.status.connection?.phase == .failed)
        #expect(WorkspaceProgress.begun(workspace, link, now: 7) == workspace.status)
        workspace.metadata.version = 2
        #expect(WorkspaceProgress.begun(workspace, link, now: 7).connection?.phase == .connecting)
    }

    @Test func `a lasting failure is said at once, a passing one after a few, an absent engine never`() {
        let starting = workspace(.starting)
        func failed(_ code: KilnError.Code, _ failures: Int) -> Workspace.Status {
            WorkspaceProgress.failed(starting, KilnError(code, "no"), failures: failures, now: 5)
        }
        #expect(failed(.imageNotFound, 0).phase == .failed)
        #expect(failed(.imageNotFound, 0).reason?.hint == "Delete it and create it again: kl ws delete hello")
        #expect(failed(.engineFailed, 0).phase == .starting)
        #expect(failed(.engineFailed, 0).reason?.code == "engine-failed")
        #expect(failed(.engineFailed, 2).phase == .failed)
        #expect(failed(.engineUnavailable, 9) == starting.status)
    }

    @Test func `the probe is a service that serves over TCP, a healthy one first`() throws {
        var environment = Environment(
            metadata: Metadata(id: shop, name: name("shop"), owner: name("anna"), createdAt: 0),
            spec: .init(workmachine: .random(), services: [], addressIndex: 1, rangeIndex: 1, volumeSet: .random())
        )
        #expect(ConnectionTarget(environment).probe == nil)
        func status(_ text: String, _ phase: ServiceStatus.Phase, _ ports: ServicePort...) -> ServiceStatus {
            ServiceStatus(name: name(text), phase: phase, address: AddressPlan.virtual(1), ports: ports, restarts: 0)
        }
        environment.status.services = [status("worker", .running)]
        #expect(ConnectionTarget(environment).probe?.service == name("worker"))
        #expect(ConnectionTarget(environment).probe?.port == nil)
        environment.status.services += [
            status("down", .exited, ServicePort(1)), status("dns", .running, ServicePort(53, .udp)), status("api", .running, ServicePort(8080)),
        ]
        #expect(ConnectionTarget(environment).probe?.port == ServicePort(8080))
        environment.status.services.append(status("db", .healthy, ServicePort(5432)))
        #expect(ConnectionTarget(environment).probe?.service == name("db"))
    }

    @Test func `the probe does not lead back to the workspace that it starts from`() throws {
        var environment = Environment(
            metadata: Metadata(id: shop, name: name("shop"), owner: name("anna"), createdAt: 0),
            spec: .init(
                workmachine: .random(), services: [try service("api"), try service("db", index: 2)], addressIndex: 1, rangeIndex: 1,
                volumeSet: .random())
        )
        environment.status.services = ["api", "db"].map {
            ServiceStatus(name: name($0), phase: .running, address: AddressPlan.virtual(1), ports: [ServicePort(5432)], restarts: 0)
        }
        let own = Intercept(service: name("api"), port: ServicePort(5432), target: 1, since: 0)
        #expect(ConnectionTarget(environment, intercepts: [own]).probe?.service == name("db"))
        let all = [own, Intercept(service: name("db"), port: ServicePort(5432), target: 2, since: 0)]
        #expect(ConnectionTarget(environment, intercepts: all).probe?.port == nil)
        #expect(ConnectionTarget(environment, intercepts: all).intercepts.map(\.serviceIndex) == [1, 2])
    }
}

@Suite struct InterceptProgressTests {
    private let intercept = Intercept(service: name("db"), port: ServicePort(5432), target: 3000, since: 1)

    private func shop() throws -> Environment {
        Environment(
            metadata: Metadata(id: try ResourceID("sh0p000000"), name: name("shop"), owner: name("anna"), createdAt: 0),
            spec: .init(workmachine: .random(), services: [try service("db")], addressIndex: 1, rangeIndex: 1, volumeSet: .random())
        )
    }

    private func workspace(_ intercepts: [Intercept]) throws -> Workspace {
        var workspace = Workspace(
            metadata: Metadata(id: .random(), name: name("hello"), owner: name("anna"), createdAt: 0),
            spec: .init(
                workmachine: .random(), image: try ImageReference("a/b"), limits: .init(milliCPUs: 1, memory: 1, pids: 1),
                connection: try ResourceID("sh0p000000"), addressIndex: 1
            )
        )
        workspace.spec.intercepts = intercepts
        workspace.status.phase = .running
        return workspace
    }

    private func observation(_ states: InterceptObservation.State..., failure: KilnError? = nil) throws -> WorkspaceObservation {
        WorkspaceObservation(
            state: .running, connected: failure == nil ? try ResourceID("sh0p000000") : nil, connectionFailure: failure,
            intercepts: states.map { InterceptObservation(serviceIndex: 1, port: ServicePort(5432), state: $0) }
        )
    }

    private func observed(_ workspace: Workspace, _ observation: WorkspaceObservation, now: Timestamp, told: [Intercept]? = nil) throws
        -> [InterceptStatus]
    {
        let shop = try shop()
        let link = WorkspaceProgress.Link.wanted(ConnectionTarget(shop, intercepts: told ?? workspace.spec.intercepts))
        return WorkspaceProgress.observed(workspace, link, in: shop, told: told, observation, now: now).intercepts
    }

    @Test func `a phase keeps the time of its last change`() throws {
        var workspace = try workspace([intercept])
        for (state, phase, time, since) in [
            (InterceptObservation.State.active, InterceptStatus.Phase.active, 5 as Timestamp, 5 as Timestamp), (.active, .active, 6, 5),
            (.waiting, .waiting, 7, 7),
            (.failing(KilnError(.probeFailed, "no")), .failing, 8, 8), (.failing(KilnError(.probeFailed, "still no")), .failing, 9, 8),
        ] {
            workspace.status.intercepts = try observed(workspace, try observation(state), now: time)
            #expect(workspace.status.intercepts.map(\.phase) == [phase])
            #expect(workspace.status.intercepts.map(\.since) == [since])
        }
        #expect(workspace.status.intercepts.first?.reason?.message == "still no")
    }

    @Test func `what the engine was not told of is not said of it`() throws {
        var moved = intercept
        moved.target = 4000
        let workspace = try workspace([moved])
        #expect(try observed(workspace, try observation(.active), now: 5, told: [intercept]).map(\.phase) == [.starting])
        #expect(try observed(workspace, try observation(), now: 5).map(\.phase) == [.starting])
        #expect(!WorkspaceProgress.isSettled(with(workspace, try observed(workspace, try observation(), now: 5)), for: workspace))
    }

    @Test func `without the connection no intercept works`() throws {
        let statuses = try observed(try workspace([intercept]), try observation(failure: KilnError(.probeFailed, "no way there")), now: 5)
        #expect(statuses.map(\.phase) == [.failing])
        #expect(statuses.first?.reason?.message == "no way there")
    }

    @Test func `what another took over stays until it is named again, and what has ended goes`() throws {
        var workspace = try workspace([])
        workspace.status.intercepts = [
            InterceptStatus(service: name("api"), port: ServicePort(1), target: 1, phase: .lost, since: 2),
            InterceptStatus(intercept, .active, since: 2),
        ]
        #expect(InterceptProgress.ended(workspace).count == 2)
        #expect(try observed(workspace, try observation(), now: 5).map(\.phase) == [.lost])
        // Its end came while the engine was busy with what was before.
        #expect(try observed(workspace, try observation(.active), now: 5, told: [intercept]).map(\.phase) == [.lost, .active])
    }

    @Test func `a failed workspace intercepts nothing that is known to work`() throws {
        var workspace = try workspace([intercept])
        workspace.status.intercepts = [InterceptStatus(intercept, .active, since: 2)]
        let failed = WorkspaceProgress.failed(workspace, KilnError(.engineFailed, "gone"), failures: 2, now: 9)
        #expect(failed.intercepts.map(\.phase) == [.failing])
        workspace.status = failed
        #expect(WorkspaceProgress.begun(workspace, .none, now: 10).intercepts.map(\.phase) == [.failing])
        workspace.metadata.version += 1
        #expect(WorkspaceProgress.begun(workspace, .none, now: 10).intercepts.map(\.phase) == [.starting])
    }

    private func with(_ workspace: Workspace, _ intercepts: [InterceptStatus]) -> Workspace.Status {
        var status = workspace.status
        status.intercepts = intercepts
        return status
    }
}
