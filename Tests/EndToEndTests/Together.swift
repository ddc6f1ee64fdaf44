import Foundation
import Testing

/// Settings and secrets on services that really run, and two owners who use one environment at once.
struct Together {
    let instance: TestInstance
    private let secret = "s3cret-\(UUID().uuidString)"

    private static let compose = """
        services:
          api:
            image: localhost/kiln/workspace
            init: true
            environment: {GREETING: "${GREETING:-hello}"}
            secrets: [key]
            expose: ["8080"]
            command:
              - python3
              - -c
              - |
                import http.server, os
                class Handler(http.server.BaseHTTPRequestHandler):
                    def do_GET(self):
                        self.send_response(200); self.end_headers()
                        self.wfile.write((os.environ["GREETING"] + " " + open("/run/secrets/key").read()).encode())
                http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
            healthcheck: {test: [CMD, curl, -sf, "http://127.0.0.1:8080/"], interval: 1s, retries: 20}
          other:
            image: localhost/kiln/workspace
            init: true
            command: [sleep, infinity]
        secrets: {key: {external: true}}
        """

    func check() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kiln-together-\(instance.name)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("compose.yaml")
        try Self.compose.write(to: file, atomically: false, encoding: .utf8)
        try await settings(file.path)
        try await owners(home: folder.path)
        try await instance.kl("env", "delete", "shop", "--yes", "--volumes")
    }

    private func settings(_ file: String) async throws {
        try await instance.kl("env", "create", "shop", "--file", file, "--no-wait")
        // Only now can a secret that the file calls external be set; the service that waits for it starts.
        try await instance.kl("env", "secret", "set", "shop", "key", input: secret)
        try await instance.kl("ws", "create", "hello")
        try await instance.kl("env", "connect", "shop", "--workspace", "hello")
        #expect(try await ask("hello") == "hello \(secret)")
        let started = try await otherStarted()
        let set = try await instance.kl("env", "config", "set", "shop", "GREETING=salve")
        #expect(set.contains("api") && !set.contains("other"))
        #expect(try await ask("hello") == "salve \(secret)")
        try await instance.kl("env", "apply", "shop", "--file", file)
        #expect(try await ask("hello") == "salve \(secret)", "what was set stays when a file is applied")
        try await instance.kl("env", "secret", "set", "shop", "key", input: secret + "2")
        #expect(try await ask("hello") == "salve \(secret)2")
        #expect(try await otherStarted() == started, "a service that uses none of it was not started again")
        // The value is in no log, no document and no process's arguments.
        for log in ["kilnd", "kiln-agent"] {
            #expect(!(try String(contentsOfFile: "\(instance.runtimeDirectory)/\(log).log", encoding: .utf8)).contains(secret))
        }
        #expect(try await !instance.kl("env", "show", "shop", "--json").contains(secret))
        for pid in try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init) {
            guard let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { continue }
            #expect(!String(decoding: line, as: UTF8.self).contains(secret), "process \(pid)")
        }
    }

    private func owners(home: String) async throws {
        let token = try await instance.kl("token", "create", "--owner", "ben").trimmingCharacters(in: .whitespacesAndNewlines)
        let ben = Guest(instance: instance, environment: ["HOME": home, "KILN_URL": "http://127.0.0.1:\(instance.port)", "KILN_TOKEN": token])
        try await ben.kl("machine", "create", "local")
        try await ben.kl("ws", "create", "mine")
        #expect(try await ben.run("env", "connect", "tester/shop", "--workspace", "mine").status == 3, "until it is shared it is not there")
        try await instance.kl("env", "share", "shop", "--with", "ben")
        try await ben.kl("env", "connect", "tester/shop", "--workspace", "mine")
        async let one = ask("hello")
        async let two = ben.run("ws", "exec", "mine", "--", "curl", "-sS", "-m", "10", "http://api:8080/")
        #expect(try await one == two.output, "both are connected at once")
        #expect(try await ben.run("env", "stop", "tester/shop").status == 4)
        #expect(try await !ben.kl("env", "show", "tester/shop", "--json").contains("salve"))

        // Each sees the other only through the services.
        let address = try await instance.inside("hello", "ip -4 -o addr show lo | grep -o '198[.]19[.][0-9.]*' | head -n 1").output
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let server = Task { try await instance.inside("hello", "timeout 20 python3 -m http.server 4000 --bind 0.0.0.0") }
        try await waitUntil("it serves", within: 15) {
            try await instance.inside("hello", "curl -s -m 2 http://127.0.0.1:4000/ > /dev/null").status == 0
        }
        #expect(try await ben.run("ws", "exec", "mine", "--", "curl", "-s", "-m", "3", "http://\(address):4000/").status != 0)
        server.cancel()

        // One takes over what the other intercepts, and that one is told.
        try await instance.kl("intercept", "start", "api", "--port", "8080:4000", "--workspace", "hello")
        #expect(try await ben.run("intercept", "start", "api", "--port", "8080:4000", "--workspace", "mine").status == 5)
        try await ben.kl("intercept", "start", "api", "--port", "8080:4000", "--workspace", "mine", "--take-over")
        #expect(try await instance.kl("intercept", "status", "--workspace", "hello").contains("ben/mine took api:8080 over"))
        try await ben.kl("intercept", "stop", "api", "--workspace", "mine")

        try await instance.kl("env", "unshare", "shop", "--with", "ben")
        try await waitUntil("ben's workspace is disconnected", within: 10) {
            try await ben.run("ws", "exec", "mine", "--", "curl", "-s", "-m", "2", "http://api:8080/").status != 0
        }
        #expect(try await ask("hello").hasPrefix("salve"))
        #expect(try await instance.kl("audit", "--owner", "ben", "--refused").contains("connectWorkspace"))
        try await ben.kl("ws", "delete", "mine", "--yes")
        try await ben.kl("machine", "delete", "local", "--yes")
        try await instance.kl("ws", "delete", "hello", "--yes")
    }

    private func ask(_ workspace: String) async throws -> String {
        let answer = try await instance.inside(workspace, "curl -sS -m 10 http://api:8080/")
        #expect(answer.status == 0, "\(answer.errors)")
        return answer.output
    }

    /// Clock ticks between the boot and the start of the first process of a service that nothing concerns.
    private func otherStarted() async throws -> String {
        try await instance.kl("env", "exec", "shop", "other", "-T", "--", "sh", "-c", "cut -d' ' -f22 /proc/1/stat")
    }
}

/// Another owner, with a token of their own.
private struct Guest: Sendable {
    let instance: TestInstance
    let environment: [String: String]

    func run(_ arguments: String...) async throws -> Program.Result { try await run(arguments) }

    func run(_ arguments: [String]) async throws -> Program.Result {
        try await Program.run(instance.command()[0], arguments, environment: environment)
    }

    @discardableResult
    func kl(_ arguments: String...) async throws -> String {
        let result = try await run(arguments)
        guard result.status == 0 else { throw Program.Failure(description: "ben's kl \(arguments): \(result.errors)\(result.output)") }
        return result.output
    }
}
