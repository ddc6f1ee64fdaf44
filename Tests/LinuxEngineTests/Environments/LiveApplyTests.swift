import KilnModel
import Testing
import WorkspaceEngine

@testable import LinuxEngine

extension LiveEnvironmentTests {
    @Test static func `Applying touches only what differs, and a service runs programs as its own does`() async throws {
        try await LiveEngine.with { live in
            var target = try Live.environment(
                Live.service("db", 1), Live.service("api", 2) { $0.dependencies = [.init(service: try Name("db"), condition: .started)] },
                Live.service("old", 3))
            try await live.running(target)
            let first = try await live.containers(of: target.id)
            #expect(first.keys.sorted() == ["api", "db", "old"])

            // What the network and the engine see to from outside leaves the container alone; what it runs does not; what is gone goes.
            target.services = [
                try Live.service("db", 1) {
                    $0.ports = [ServicePort(5432)]
                    $0.restart = .always
                    $0.healthcheck = .init(command: ["true"], interval: 1)
                },
                try Live.service("api", 2, "cd /tmp; exec sleep infinity") {
                    $0.variables = [try EnvironmentVariable("GREETING=good day"), try EnvironmentVariable("TERM=dumb")]
                },
            ]
            try await live.running(target)
            let second = try await live.containers(of: target.id)
            #expect(second.keys.sorted() == ["api", "db"])
            #expect(second["db"] == first["db"])
            #expect(second["api"] != first["api"])
            #expect(try await live.engine.network.inventory().services[target.id]?.sorted() == [1, 2])

            // A fresh start of one service.
            target.generations = [try Name("db"): 1]
            try await live.running(target)
            let third = try await live.containers(of: target.id)
            #expect(third["api"] == second["api"])
            #expect(third["db"] != second["db"])

            // An image that cannot be had does not end what runs.
            var broken = target
            broken.services[1].image = .reference(try ImageReference("localhost/no/such:1"))
            let status = try await live.settle(broken) { $0.values.contains { $0.phase == .failed } }
            #expect(status[try Name("api")]?.reason?.message.contains("no/such") == true)
            #expect(try await live.containers(of: target.id) == third)

            try await sessions(live, target)
            try await live.engine.remove(target, volumes: true)
            #expect(try await live.containers(of: target.id).isEmpty)
        }
    }

    private static func sessions(_ live: LiveEngine, _ target: EnvironmentTarget) async throws {
        func run(_ service: String, _ request: SessionRequest, typing text: String = "") async throws -> Client {
            let client = Client()
            client.send(text)
            let place = ServiceReference(environment: target.id, name: try Name(service))
            try await live.engine.session(request, in: place, input: client.input) { await client.take($0) }
            return client
        }
        let told = try await run(
            "api",
            SessionRequest(
                command: ["/bin/sh", "-c", #"id -u; pwd; echo "$GREETING"; echo "$TERM"; exit 3"#], variables: [try EnvironmentVariable("TERM=vt100")]
            ))
        #expect(await told.text == "0\n/\ngood day\nvt100\n")
        #expect(await told.exit == 3)
        let shell = try await run("db", SessionRequest(command: [], terminal: .init(columns: 90, rows: 20)), typing: "stty size; exit 4\n")
        #expect(await shell.text.contains("20 90"))
        #expect(await shell.exit == 4)
        await #expect(throws: KilnError.self) { _ = try await run("old", SessionRequest(command: ["true"])) }
    }
}
