import KilnModel
import Testing

@testable import LinuxEngine

extension ContainerTests {
    @Suite(.timeLimit(.minutes(3)))
    struct SpeedTests {
        let fixture = ContainerFixture.shared

        @Test func `Making, starting and running in a container take milliseconds`() async throws {
            let host = try await fixture.ready()
            let clock = ContinuousClock()
            var (creating, starting, first, running, removing, looking): ([Duration], [Duration], [Duration], [Duration], [Duration], [Duration]) =
                ([], [], [], [], [], [])
            for _ in 0..<10 {
                let spec = try fixture.spec(host)
                var id = ""
                creating.append(try await clock.measure { id = try await host.create(spec) })
                starting.append(try await clock.measure { try await host.start(id) })
                first.append(
                    try await clock.measure { _ = try await host.run(["true"], in: id, user: .root, workingDirectory: "/", environment: []) })
                for _ in 0..<5 {
                    running.append(
                        try await clock.measure { _ = try await host.run(["true"], in: id, user: .root, workingDirectory: "/", environment: []) })
                    looking.append(try clock.measure { _ = try host.stats(id) })
                }
                removing.append(try await clock.measure { try await host.remove(id) })
            }
            func median(_ times: [Duration]) -> Duration { times.sorted()[times.count / 2] }
            print(
                """
                medians: create \(median(creating)), start \(median(starting)), first command \(median(first)), command \(median(running)), \
                stats \(median(looking)), remove \(median(removing))
                """)
            // Ten times what an idle machine takes: this catches a lost path, not a busy day.
            #expect(median(running) < .milliseconds(120))
            #expect(median(looking) < .milliseconds(20))
        }
    }
}
