import Foundation
import KilnModel
import NIOHTTP1
import Synchronization
import Testing

@testable import KilnAPI
@testable import KilnCommands

@Suite("env apply", .timeLimit(.minutes(1))) struct EnvironmentApplyTests {
    private static let plan = ApplyPlan(steps: [
        .init(service: try! Name("api"), action: .change, fields: ["image", "environment"], restarts: true),
        .init(service: try! Name("db"), action: .change, fields: ["ports"]), .init(service: try! Name("old"), action: .remove),
        .init(service: try! Name("redis"), action: .unchanged),
    ])

    /// A kilnd that takes the file, then says how it went on.
    private func serve(_ plan: ApplyPlan, then environment: Environment) -> @Sendable (TestServer.Exchange) async throws -> Void {
        { exchange in
            switch (exchange.head.method, exchange.path) {
            case (.POST, Routes.compose):
                try await exchange.answer(Fixtures.json(ComposeInspection()))
            case (.GET, "/api/v1/environments/shop"): try await exchange.answer(Fixtures.json(Fixtures.environment()))
            case (.PUT, "/api/v1/environments/shop"):
                let request = try JSONDecoder().decode(CreateEnvironment.self, from: Data(try await exchange.body()))
                #expect(request.name == (try Name("shop")))
                try await exchange.answer(Fixtures.json(EnvironmentApplication(plan: plan, environment: Fixtures.environment())))
            case (.GET, Routes.events):
                try await exchange.begin(type: "text/event-stream")
                try await exchange.write(Fixtures.event(.environment(environment)))
                try await Task.sleep(for: .seconds(20))
            default: try await exchange.answer(.notFound, "{}")
            }
        }
    }

    private func run(_ arguments: String..., plan: ApplyPlan = plan, then environment: Environment) async throws -> (
        Int32, Printed, [HTTPRequestHead]
    ) {
        try await Fixtures.withFolder { folder in
            try Fixtures.write("services: {}", to: "\(folder)/compose.yaml")
            return try await TestServer.run(serve(plan, then: environment)) { server in
                let all = ["env", "apply", "anna/shop", "--file", "\(folder)/compose.yaml"] + arguments
                let run = await kl(all, at: server.endpoint)
                return (run.status, run.printed, await server.seen.requests)
            }
        }
    }

    @Test("prints what becomes of each service, and waits until all are well") func applied() async throws {
        let (status, printed, requests) = try await run(then: Fixtures.environment(observed: 1, phase: .running))
        #expect(status == 0, "\(printed.error)")
        #expect(
            printed.output == """
                SERVICE  ACTION     WHAT
                api      change     image, environment
                db       change     ports (without a restart)
                old      remove     
                redis    unchanged  
                Environment anna/shop is running.

                """)
        #expect(requests.contains { $0.uri == "/api/v1/environments/shop?owner=anna" })
    }

    @Test("with --dry-run prints the plan and nothing more") func dryRun() async throws {
        let (status, printed, requests) = try await run("--dry-run", then: Fixtures.environment())
        #expect(status == 0)
        #expect(printed.output.hasPrefix("SERVICE  ACTION"))
        #expect(!printed.output.contains("Environment"))
        #expect(requests.contains { $0.uri == "/api/v1/environments/shop?owner=anna&dryRun=true" })
    }

    @Test("says so when nothing had to change, and exits 1 when a service does not become well") func endings() async throws {
        let same = ApplyPlan(steps: [.init(service: try Name("db"), action: .unchanged)])
        let (_, printed, _) = try await run(plan: same, then: Fixtures.environment(observed: 1, phase: .running))
        #expect(printed.output == "Environment anna/shop is running. Nothing had to change.\n")
        let bad = ServiceStatus(name: try Name("api"), phase: .failed, address: .init(198, 18, 0, 1), ports: [], exitStatus: 3)
        let (status, failed, _) = try await run(then: Fixtures.environment(observed: 1, phase: .degraded, services: [bad]))
        #expect(status == 1)
        #expect(failed.error.contains("api (it ended with status 3)"))
    }
}
