import KilnModel
import Synchronization
import Testing
import WorkspaceEngine

@testable import LinuxEngine

extension LiveEnvironmentTests {
    @Test static func `Several containers of a service share its work, and only the difference is touched when their number changes`() async throws {
        try await LiveEngine.with { live in
            // Says its name to whoever connects, and so in its log.
            let server = """
                import socket
                s = socket.create_server(("", 8080), backlog=100)
                print("serving", socket.gethostname(), flush=True)
                while True:
                    c = s.accept()[0]
                    c.sendall(socket.gethostname().encode() + b"\\n")
                    c.close()
                """
            let check = "! test -e /tmp/sick && python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 8080))'"
            var target = try Live.environment(
                Live.service("api", 1) {
                    $0.command = ["python3", "-c", server]
                    $0.replicas = 3
                    $0.ports = [ServicePort(8080)]
                    $0.healthcheck = .init(command: ["/bin/sh", "-c", check], interval: 0.2, retries: 1)
                }, Live.service("caller", 2))
            let api = try Name("api")
            try await live.running(target)
            let first = try await live.containers(of: target.id)
            #expect(first.keys.sorted() == ["api", "api-2", "api-3", "caller"])
            #expect(try await live.callees(of: target) == ["api", "api-2", "api-3"])
            #expect(try await live.run("getent hosts api-2 api-3.shop", in: target.id, "caller").split(separator: "\n").count == 2)
            #expect(try await live.run("hostname", in: target.id, "api", replica: 3) == "api-3\n")

            // One that is unwell gets nothing, says so, and comes back.
            _ = try await live.run("touch /tmp/sick", in: target.id, "api", replica: 2)
            let sick = try await live.settle(target) { $0[api]?.phase == .unhealthy }
            #expect(sick[api]?.replicas?.map(\.phase) == [.healthy, .unhealthy, .healthy])
            #expect(try await live.callees(of: target) == ["api", "api-3"])
            _ = try await live.run("rm /tmp/sick", in: target.id, "api", replica: 2)
            try await live.running(target)
            #expect(try await live.callees(of: target) == ["api", "api-2", "api-3"])

            // Fewer, then more.
            target.services[0].replicas = 1
            try await live.running(target)
            #expect(try await live.containers(of: target.id) == first.filter { ["api", "caller"].contains($0.key) })
            #expect(try await live.callees(of: target) == ["api"])
            #expect(try await live.engine.network.inventory().services[target.id]?.sorted() == [1, 2])
            target.services[0].replicas = 2
            try await live.running(target)
            #expect(try await live.callees(of: target) == ["api", "api-2"])
            #expect(try await live.containers(of: target.id)["api"] == first["api"])

            // All anew: one after the other, and somebody always answers.
            let before = try await live.containers(of: target.id)
            let calls = "while ! test -e /tmp/enough; do exec 3<>/dev/tcp/api/8080 && cat <&3 || echo refused; done"
            let calling = Task { [target] in try await live.run(calls, in: target.id, "caller") }
            target.generations = [api: 1]
            try await live.running(target)
            _ = try await live.run("touch /tmp/enough", in: target.id, "caller")
            let answers = Set(try await calling.value.split(separator: "\n").map(String.init))
            #expect(answers == ["api", "api-2"])
            let after = try await live.containers(of: target.id)
            #expect(after["api"] != before["api"] && after["api-2"] != before["api-2"] && after["caller"] == before["caller"])

            // Each has a log of its own.
            let lines = Mutex<[LogLine]>([])
            let request = LogRequest(source: .service(environment: target.id, name: api, replica: 2))
            try await live.engine.logs(request) { line in lines.withLock { $0.append(line) } }
            #expect(lines.withLock(\.self).map(\.text) == ["serving api-2"])
            #expect(lines.withLock(\.self).first?.replica == 2)
            try await live.engine.remove(target, volumes: true)
            #expect(try await live.containers(of: target.id).isEmpty)
        }
    }
}

extension LiveEngine {
    /// Who answers when `caller` calls `api` many times.
    fileprivate func callees(of target: EnvironmentTarget) async throws -> Set<String> {
        let script = "for i in {1..60}; do exec 3<>/dev/tcp/api/8080 && cat <&3 || echo refused; done"
        return Set(try await run(script, in: target.id, "caller").split(separator: "\n").map(String.init))
    }
}
