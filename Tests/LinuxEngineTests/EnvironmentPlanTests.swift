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
        _ name: String, revision: String = "1", running: Bool = true, thisBoot: Bool = true, exit: Int? = nil, restart: Service.RestartPolicy = .no,
        attempts: Int = 0, ran seconds: Double = 1, health: Health? = nil
    ) throws -> EnvironmentPlan.Observed {
        var record = RestartRecord(policy: restart)
        record.attempts = attempts
        record.restarts = attempts
        let run = RestartRecord.Run(startedAt: Self.now - 1 - seconds, finishedAt: Self.now - 1, exitStatus: exit ?? 0)
        return .init(
            container: "c-\(name)", service: try Name(name), revision: revision, isRunning: running, startedSinceBoot: thisBoot, exitStatus: exit,
            record: record, run: running && attempts == 0 ? nil : run, lastLines: running ? [] : ["one", "two"], health: health)
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
        #expect(plan.removed == [try Name("db"), try Name("old")])
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
        #expect(once.statuses[0].crash?.nextTry == Self.now - 1 + 0.1)
        let often = plan(services, [try found("a", running: false, exit: 3, restart: .always, attempts: 5)]).statuses[0]
        #expect(often.phase == .crashLoop)
        #expect(often.reason?.message == "a ended with status 3, 6 times in a row.")
        #expect(often.crash == Crash(times: 6, nextTry: Self.now - 1 + 3.2, lastLines: ["one", "two"]))
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

    @Test func `The resolver's files hold every service by its name and its name with the environment's`() throws {
        var redis = try service("redis", 2)
        redis.aliases = [try HostName("cache.example")]
        let hosts = NameServerConfiguration.hosts(of: [redis, try service("postgres", 1)], environment: try Name("shop"))
        #expect(hosts == "198.18.0.1 postgres postgres.shop\n198.18.0.2 redis redis.shop cache.example\n")
        let text = NameServerConfiguration(listenAddress: AddressPlan.resolver, upstream: AddressPlan.link(slot: 0).host, directory: "/d").text
        #expect(text.contains("server=198.19.255.1\n") && text.contains("domain-needed\n") && text.contains("listen-address=169.254.1.53\n"))
    }
}
