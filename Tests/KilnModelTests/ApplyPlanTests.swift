import KilnModel
import Testing

@Suite struct ApplyPlanTests {
    private func service(_ name: String, _ change: (inout Service) throws -> Void = { _ in }) throws -> Service {
        var service = Service(name: try Name(name), addressIndex: 1, image: .reference(try ImageReference("postgres:16")))
        try change(&service)
        return service
    }

    @Test func `each service is made, changed, removed or left alone`() throws {
        let before = [try service("db"), try service("old"), try service("api")]
        let after = [try service("api") { $0.command = ["serve"] }, try service("db"), try service("web")]
        let plan = ApplyPlan(from: before, to: after)
        #expect(
            plan.steps == [
                .init(service: try Name("api"), action: .change, fields: ["command"], restarts: true),
                .init(service: try Name("db"), action: .unchanged), .init(service: try Name("web"), action: .create),
                .init(service: try Name("old"), action: .remove),
            ])
        #expect(!plan.changesNothing)
        #expect(ApplyPlan(from: before, to: before.reversed()).changesNothing)
        #expect(ApplyPlan(from: [], to: []).changesNothing)
    }

    @Test func `what differs is named as Compose names it`() throws {
        let after = try service("db") {
            $0.image = .build(ImageBuild(context: try ContentDigest(String(repeating: "a", count: 64))))
            $0.variables = [try EnvironmentVariable("A=1")]
            $0.entrypoint = []
            $0.volumes = [.init(volume: try VolumeName("data"), path: "/data")]
            $0.settings.isReadOnly = true
            $0.settings.stopGracePeriod = 3
        }
        let step = ApplyPlan(from: [try service("db")], to: [after]).steps[0]
        #expect(step.fields == ["build", "entrypoint", "environment", "volumes", "stop_grace_period", "read_only"])
        #expect(step.restarts)
    }

    @Test func `ports, dependencies, health checks and restart policies change without another container`() throws {
        let after = try service("db") {
            $0.ports = [ServicePort(5432)]
            $0.dependencies = [.init(service: try Name("api"), condition: .started)]
            $0.healthcheck = .init(command: ["true"])
            $0.restart = .onFailure(maximumRetries: 3)
            $0.settings.pullPolicy = .never
        }
        let step = ApplyPlan(from: [try service("db")], to: [after]).steps[0]
        #expect(step.fields == ["ports", "depends_on", "healthcheck", "restart", "pull_policy"])
        #expect(!step.restarts)
    }
}
