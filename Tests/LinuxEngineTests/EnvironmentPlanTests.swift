import KilnModel
import Testing

@testable import LinuxEngine

@Suite struct EnvironmentPlanTests {
    private func service(
        _ name: String, _ index: Int, needs: [(String, Service.Dependency.Condition)] = [], check: Bool = false, restart: Service.RestartPolicy = .no
    ) throws -> Service {
        Service(
            name: try Name(name), addressIndex: index, image: .reference(try ImageReference("localhost/x")),
            dependencies: try needs.map { .init(service: try Name($0.0), condition: $0.1) },
            healthcheck: check ? .init(command: ["true"]) : nil, restart: restart)
    }

    private func found(
        _ name: String, number: Int = 1, revision: String = "1", running: Bool = true, thisBoot: Bool = true, exit: Int? = nil,
        restart: Service.RestartPolicy = .no, attempts: Int = 0, ran seconds: Double = 1, health: Health? = nil
    ) throws -> EnvironmentPlan.Observed {
        var record = RestartRecord(policy: restart)
        record.attempts = attempts
        record.restarts = attempts
        let run = RestartRecord.Run(startedAt: Self.now - 1 - seconds, finishedAt: Self.now - 1, exitStatus: exit ?? 0)
        return .init(
            container: "c-\(name)-\(number)", service: try Name(name), number: number, revision: revision, isRunning: running,
            startedSinceBoot: thisBoot, exitStatus: exit, record: record, run: running && attempts == 0 ? nil : run,
            lastLines: running ? [] : ["one", "two"], health: health)
    }

    private static let now = 1_000_000.0

    private func plan(_ services: [Service], _ observed: [EnvironmentPlan.Observed]) -> EnvironmentPlan {
        EnvironmentPlan(
            services: services, revisions: Dictionary(uniqueKeysWithValues: services.map { ($0.name, "1") }), observed: observed, now: Self.now)
    }

    @Test func `From nothing, only services without dependencies are made`() throws {
        let services = [try service("api", 1, needs: [("db", .healthy)]), try service("db", 2, check: true)]
        let plan = plan(services, [])
        #expect(plan.starts == [.init(service: try Name("db"), creates: true)])
        #expect(plan.statuses.map(\.phase) == [.waiting, .starting])
        #expect(plan.statuses[0].reason?.message == "Waits for db to be healthy.")
    }

    @Test func `A service that waits for health starts when the check passed and not before`() throws {
        let services = [try service("api", 1, needs: [("db", .healthy)]), try service("db", 2, check: true)]
        #expect(plan(services, [try found("db", health: .starting)]).isEmpty)
        #expect(plan(services, [try found("db", health: .unhealthy("no"))]).isEmpty)
        #expect(plan(services, [try found("db", health: .healthy)]).starts == [.init(service: try Name("api"), creates: true)])
    }

    @Test func `A dependency that must complete lets its dependants start only after status 0`() throws {
        let services = [try service("api", 1, needs: [("migrate", .completed)]), try service("migrate", 2)]
        #expect(plan(services, [try found("migrate")]).isEmpty)
        #expect(plan(services, [try found("migrate", running: false, exit: 0)]).starts == [.init(service: try Name("api"), creates: true)])
        let failed = plan(services, [try found("migrate", running: false, exit: 3)])
        #expect(failed.isEmpty)
        #expect(failed.statuses.map(\.phase) == [.failed, .failed])
        var optional = services
        optional[0].dependencies[0].required = false
        #expect(plan(optional, [try found("migrate")]).isEmpty)
        #expect(plan(optional, [try found("migrate", running: false, exit: 3)]).starts == [.init(service: try Name("api"), creates: true)])
    }

    @Test func `A changed service is removed and made again, an unknown one only removed`() throws {
        let services = [try service("db", 1)]
        let plan = plan(services, [try found("db", revision: "0"), try found("old")])
        #expect(plan.removed == [Replica(try Name("db")), Replica(try Name("old"))])
        #expect(plan.starts == [.init(service: try Name("db"), creates: true)])
    }

    @Test func `After a reboot the containers start again in the order of their dependencies`() throws {
        let services = [try service("api", 1, needs: [("db", .started)]), try service("db", 2)]
        let after = [try found("api", running: false, thisBoot: false, exit: 137), try found("db", running: false, thisBoot: false, exit: 137)]
        #expect(plan(services, after).starts == [.init(service: try Name("db"), creates: false)])
    }

    @Test func `An ended service without a policy is failed or exited, with what it said last`() throws {
        let failed = plan([try service("a", 1)], [try found("a", running: false, exit: 1)]).statuses[0]
        #expect(failed.phase == .failed)
        #expect(failed.reason?.message == "a ended with status 1.")
        #expect(failed.crash == Crash(times: 1, nextTry: nil, lastLines: ["one", "two"]))
        let exited = plan([try service("a", 1)], [try found("a", running: false, exit: 0)]).statuses[0]
        #expect(exited.phase == .exited)
        #expect(exited.crash == nil)
    }

    @Test func `A service whose policy starts it again is starting, and after some starts in vain in a crash loop`() throws {
        let services = [try service("a", 1, restart: .always)]
        let once = plan(services, [try found("a", running: false, exit: 0, restart: .always)])
        #expect(once.isEmpty)
        #expect(once.statuses[0].phase == .starting)
        #expect(once.statuses[0].crash?.nextTry == Timestamp(seconds: Self.now - 1 + 0.1))
        let often = plan(services, [try found("a", running: false, exit: 3, restart: .always, attempts: 5)]).statuses[0]
        #expect(often.phase == .crashLoop)
        #expect(often.reason?.message == "a ended with status 3, 6 times in a row.")
        #expect(often.crash == Crash(times: 6, nextTry: Timestamp(seconds: Self.now - 1 + 3.2), lastLines: ["one", "two"]))
        #expect(often.restarts == 5)
        // It has run for a moment only, then for long enough.
        #expect(plan(services, [try found("a", restart: .always, attempts: 6, ran: 1)]).statuses[0].phase == .crashLoop)
        #expect(plan(services, [try found("a", restart: .always, attempts: 6, ran: 10)]).statuses[0].phase == .running)
    }

    @Test func `When the retries are used up a service has failed, and what needs it will not start`() throws {
        let policy = Service.RestartPolicy.onFailure(maximumRetries: 2)
        let services = [try service("a", 1, restart: policy), try service("b", 2, needs: [("a", .started)])]
        let ended = plan(services, [try found("a", running: false, exit: 1, restart: policy, attempts: 2)])
        #expect(ended.statuses.map(\.phase) == [.failed, .failed])
        #expect(ended.statuses[0].reason?.message == "a ended with status 1, 3 times in a row.")
        let again = plan(services, [try found("a", running: false, exit: 1, restart: policy, attempts: 1)])
        #expect(again.statuses.map(\.phase) == [.starting, .waiting])
    }

    @Test func `Health follows the checks and the start period`() {
        let check = Service.Healthcheck(command: ["x"], interval: 1, timeout: 1, retries: 2, startPeriod: 10)
        var record = HealthRecord()
        for _ in 0..<5 { record.record(passed: false, output: "", age: 3, check: check) }
        #expect(record.health == .starting)
        record.record(passed: true, output: "", age: 4, check: check)
        #expect(record.health == .healthy)
        record.record(passed: false, output: "one", age: 5, check: check)
        #expect(record.health == .healthy)
        record.record(passed: false, output: "two", age: 6, check: check)
        #expect(record.health == .unhealthy("two"))
        record.record(passed: true, output: "", age: 7, check: check)
        #expect(record.health == .healthy)
    }

    // MARK: Several containers

    private func several(_ count: Int, check: Bool = false) throws -> Service {
        var service = try service("api", 1, check: check)
        service.replicas = count
        return service
    }

    @Test func `Another number of containers touches only the difference`() throws {
        let two = try [found("api"), found("api", number: 2)]
        let services = [try several(4)]
        let more = plan(services, two)
        #expect(more.removed.isEmpty)
        #expect(more.starts == [3, 4].map { .init(service: services[0].name, number: $0, creates: true) })
        let fewer = plan([try several(1)], two)
        #expect(fewer.removed == [Replica(services[0].name, 2)])
        #expect(fewer.starts.isEmpty)
        #expect(fewer.statuses[0].replicas == nil)
        let none = plan([try several(0)], two)
        #expect(none.removed.count == 2 && none.starts.isEmpty)
        #expect(none.statuses[0].phase == .stopped)
    }

    @Test func `Several that change are replaced one after the other, the next when those before it are ready`() throws {
        let services = [try several(3, check: true)]
        let name = services[0].name
        func old(_ number: Int, _ health: Health = .healthy, running: Bool = true) throws -> EnvironmentPlan.Observed {
            try found("api", number: number, revision: "0", running: running, exit: running ? nil : 1, health: health)
        }
        let first = plan(services, try [old(1), old(2), old(3)])
        #expect(first.removed == [Replica(name, 1)])
        #expect(first.starts == [.init(service: name, number: 1, creates: true)])
        #expect(first.statuses[0].phase == .starting)
        #expect(first.statuses[0].replicas?[2].reason?.code == "awaiting-turn")
        for health in [Health.starting, .unhealthy("no")] {
            #expect(plan(services, try [found("api", health: health), old(2), old(3)]).isEmpty, "the old ones serve on")
        }
        #expect(plan(services, try [found("api", health: .healthy), old(2), old(3)]).removed == [Replica(name, 2)])
        // A turn that was cut short between the removal and the start.
        #expect(plan(services, try [old(2), old(3)]).starts == [.init(service: name, number: 1, creates: true)])
        #expect(plan(services, try [old(2), old(3)]).removed.isEmpty)
        // One that is not ready goes first, those that do not run at once.
        #expect(plan(services, try [old(1), old(2), old(3, .unhealthy("no"))]).removed == [Replica(name, 3)])
        #expect(plan(services, try [old(1), old(2, running: false), old(3, running: false)]).removed == [Replica(name, 2), Replica(name, 3)])
        let done = plan(services, try (1...3).map { try found("api", number: $0, health: .healthy) })
        #expect(done.isEmpty && done.statuses[0].phase == .healthy)
    }

    @Test func `A service is as well as its worst container, and says which that is`() throws {
        let services = [try several(3, check: true), try service("web", 2, needs: [("api", .healthy)])]
        let sick = plan(
            services,
            try [found("api", health: .healthy), found("api", number: 2, health: .unhealthy("no")), found("api", number: 3)])
        #expect(sick.statuses[0].phase == .unhealthy)
        #expect(sick.statuses[0].reason?.message == "api-2: no")
        #expect(sick.statuses[0].replicas?.map(\.phase) == [.healthy, .unhealthy, .starting])
        #expect(sick.statuses[0].replicas?.map(\.address.description) == ["198.18.128.1", "198.18.132.1", "198.18.136.1"])
        // What needs it waits for all of them.
        #expect(sick.starts.isEmpty && sick.statuses[1].phase == .waiting)
        let well = plan(services, try (1...3).map { try found("api", number: $0, health: .healthy) })
        #expect(well.statuses[0].phase == .healthy)
        #expect(well.starts.map(\.service) == [services[1].name])
        let dead = plan([try several(2)], [try found("api"), try found("api", number: 2, running: false, exit: 7)])
        #expect(dead.statuses[0].reason?.message == "api-2 ended with status 7.")
    }

    @Test func `New connections go to the containers that are ready, in need to those that run, and to one that leaves only in need`() throws {
        let services = [try several(3, check: true)]
        func routes(_ observed: [EnvironmentPlan.Observed], leaving: Set<Replica> = []) -> [[Int]] {
            ServiceRouting.routes(to: services, observed, leaving: leaving).map(\.containers)
        }
        let mixed = try [
            found("api", health: .healthy), found("api", number: 2, health: .unhealthy("no")), found("api", number: 3, health: .healthy),
        ]
        #expect(routes(mixed) == [[1, 2049]])
        #expect(routes(mixed, leaving: [Replica(try Name("api"), 3)]) == [[1]])
        let ended = try found("api", number: 3, running: false, exit: 1)
        let sick = try (1...2).map { try found("api", number: $0, health: .unhealthy("no")) } + [ended]
        #expect(routes(sick) == [[1, 1025]])
        #expect(routes([sick[0]], leaving: [Replica(try Name("api"))]) == [[1]])
        #expect(routes([try found("api", running: false, exit: 1)]).isEmpty)
        // About to be started, it is reached before its program runs, unless others are.
        let starting: Set<Replica> = [Replica(try Name("api"), 2)]
        #expect(ServiceRouting.routes(to: services, [], starting: starting).map(\.containers) == [[1025]])
        #expect(ServiceRouting.routes(to: services, [try found("api")], starting: starting).map(\.containers) == [[1]])
        #expect(routes([try found("api", running: false, exit: 1, restart: .always)]) == [[1]])
    }

    @Test func `The image's check is run unless the file has one, at the times that the file does not say`() throws {
        let image = Service.Healthcheck(command: ["probe"], interval: 5, timeout: 2, retries: 7)
        var service = try service("api", 1)
        #expect(service.healthcheck(ofImage: nil) == nil)
        #expect(service.healthcheck(ofImage: image) == image)
        service.healthcheck = .init(command: [], usesImage: true, interval: 1)
        service.healthcheck?.imageTimes = [.timeout, .retries]
        #expect(service.healthcheck(ofImage: image) == .init(command: ["probe"], interval: 1, timeout: 2, retries: 7))
        #expect(service.healthcheck(ofImage: nil) == nil)
        service.healthcheck = .init(command: [])
        #expect(service.healthcheck(ofImage: image) == nil)
        // A container that has only the image's is waited for as one that has the file's.
        service.healthcheck = nil
        var container = try found("api", health: .starting)
        container.imageCheck = image
        #expect(plan([service], [container]).statuses[0].phase == .starting)
        #expect(try Service.Healthcheck(label: image.label) == image)
        #expect(Service.Healthcheck(label: "") == nil)
    }
}
