import Foundation
import Testing

/// Intercepts on a real environment under real load: what they do, that nothing is lost, that what a crash leaves converges.
struct Intercepts {
    let instance: TestInstance
    let address = "198.18.0.1"
    /// Its whole command line, by which it is found.
    private static let server = "python3 /home/dev/echo.py 3001 3000"

    func check() async throws {
        try await instance.kl("env", "create", "echo", "--file", instance.file("Echo/compose.yaml"))
        // What the service runs with, its developer works with.
        try await instance.kl("ws", "create", "coder", "--image", builtImage())
        try await instance.kl("ws", "create", "caller")
        for name in ["coder", "caller"] { try await instance.kl("env", "connect", "echo", "--workspace", name) }
        let script = try String(contentsOfFile: instance.file("Echo/server.py"), encoding: .utf8)
        #expect(try await instance.tryKl("ws", "exec", "coder", "--", "sh", "-c", "cat > ~/echo.py", input: script).status == 0)
        try await effect()
        try await fallback()
        try await ownership()
        try await InterceptLoad(intercepts: self).check()
        try await Reboot(intercepts: self).check()
        for name in ["coder", "caller"] { try await instance.kl("ws", "delete", name, "--yes") }
        try await instance.kl("env", "delete", "echo", "--yes", "--volumes")
    }

    // MARK: What it does

    private func effect() async throws {
        let (caller, coder) = (try await workspaceAddress("caller"), try await workspaceAddress("coder"))
        #expect(try await ask("caller") == "original \(caller)")
        try await serve(in: "coder", host: "127.0.0.1")
        try await instance.kl("intercept", "start", "echo", "--port", "8080:3000", "--workspace", "coder")
        // Whoever calls, the program on 127.0.0.1 answers, and sees who called.
        #expect(try await ask("caller") == "workspace \(caller)")
        #expect(try await ask("coder") == "workspace \(coder)")
        let neighbour = try await curl(in: "\(instance.prefix)-s-\(try await instance.id("env", "echo"))-2")
        #expect(neighbour.hasPrefix("workspace 198.18.128."))
        // So does the service itself, by its own name.
        let own = try await instance.kl("env", "exec", "echo", "echo", "-T", "--", "sh", "-c", "hostname; curl -s http://echo:8080/")
        #expect(own.hasPrefix("echo\nworkspace 198.18.128."), "\(own)")
        // Ports that are not named stay with the original, and so does what the workspace serves besides.
        #expect(try await curl(in: namespace("caller"), ":8082").hasPrefix("original "))
        #expect(try await status(namespace("caller"), "http://\(coder):3000/") != 0, "the port itself is nobody's")
        #expect(try await phase() == "Active")
        let report = try await instance.kl("intercept", "status", "--workspace", "coder")
        #expect(report.contains("caller") && report.contains("neighbour"), "who calls: \(report)")
        #expect(try await datagram() == "original hello")
        try await instance.kl("intercept", "start", "echo", "--port", "9000:3001", "--protocol", "udp", "--workspace", "coder")
        #expect(try await datagram() == "workspace hello")
        #expect(try await ask("caller") == "workspace \(caller)", "the other port's goes on")
        try await instance.kl("intercept", "stop", "echo", "--workspace", "coder")
        #expect(try await ask("caller") == "original \(caller)")
        #expect(try await datagram() == "original hello")
        #expect(try await elements() == [])
    }

    /// What the service's UDP port answers to a workspace.
    private func datagram() async throws -> String {
        try await instance.inside(
            "caller", "exec 3<>/dev/udp/echo/9000; printf hello >&3; timeout 5 dd bs=99 count=1 <&3 2> /dev/null"
        ).output
    }

    // MARK: Never an outage

    private func fallback() async throws {
        let start = try await instance.kl("intercept", "start", "echo", "--port", "8080:3000", "--workspace", "coder")
        #expect(!start.contains("waiting"), "the server still runs")
        #expect(try await side("caller") == "workspace")
        try await stopServing(in: "coder")
        try await waitUntil("the original answers again", within: 5) { try await side("caller") == "original" }
        try await waitUntil("the status says so", within: 5) { try await phase() == "Waiting" }
        #expect(try await instance.kl("intercept", "status", "--workspace", "coder").contains("3000"))
        try await serve(in: "coder", host: "0.0.0.0")
        try await waitUntil("the new listener answers", within: 5) { try await side("caller") == "workspace" }

        try await instance.kl("ws", "suspend", "coder")
        #expect(try await side("caller") == "original")
        try await instance.kl("ws", "resume", "coder")
        #expect(try await side("caller") == "original")
        try await serve(in: "coder", host: "127.0.0.1")
        try await waitUntil("the intercept is active again without a command", within: 5) { try await side("caller") == "workspace" }

        // The whole workspace dies.
        let container = "\(instance.prefix)-w-\(try await instance.id("ws", "coder"))"
        let pids = try await Program.check("/usr/sbin/ip", ["netns", "pids", container]).split(separator: "\n").compactMap { Int32($0) }
        for pid in pids { kill(pid, SIGKILL) }
        try await waitUntil("the original answers for the dead", within: 5) { try await side("caller") == "original" }
        try await waitUntil("the workspace runs again", within: 60) { try await instance.inside("coder", "true").status == 0 }
        try await serve(in: "coder", host: "127.0.0.1")
        try await waitUntil("its intercept is back", within: 10) { try await side("caller") == "workspace" }

        // A cold agent learns from the kernel what it has to watch; kilnd is not there to tell.
        let caller = try await namespace("caller")
        try await instance.kill("kiln-agent")
        try await instance.kill("kilnd")
        #expect(try await curl(in: caller).hasPrefix("workspace"), "the rules stay as they are")
        try await stopServingByForce()
        try await instance.startAgent()
        try await waitUntil("the agent alone gives the traffic back", within: 30) { try await curl(in: caller).hasPrefix("original") }
        try await instance.startServer()
        try await waitUntil("kilnd is back", within: 60) { try await instance.inside("coder", "true").status == 0 }
        try await instance.kl("intercept", "stop", "echo", "--workspace", "coder")
    }

    // MARK: Ownership

    private func ownership() async throws {
        try await serve(in: "coder", host: "127.0.0.1")
        try await instance.kl("intercept", "start", "echo", "--port", "8080:3000", "--workspace", "coder")
        let second = try await instance.tryKl("intercept", "start", "echo", "--port", "8080:3000", "--workspace", "caller")
        #expect(second.status == 5 && second.errors.contains("coder") && second.errors.contains("--take-over"), "\(second.errors)")
        try await instance.kl("intercept", "start", "echo", "--port", "8080:3000", "--workspace", "caller", "--take-over")
        #expect(try await instance.kl("intercept", "status", "--workspace", "coder").contains("caller"), "the loser is told")
        try await instance.kl("intercept", "stop", "--workspace", "caller")
        try await instance.kl("intercept", "stop", "--workspace", "coder")
        #expect(try await elements() == [])
    }

    // MARK: Means

    /// The one image that was built here: the echo service's.
    private func builtImage() async throws -> String {
        let answer = try await Program.check(
            "/usr/bin/curl", ["-sf", "--unix-socket", instance.podmanSocket, "http://d/v4.0.0/libpod/images/json"])
        let images = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [[String: Any]] ?? []
        return try #require(images.flatMap { $0["RepoTags"] as? [String] ?? [] }.first { $0.hasPrefix("localhost/kiln/build:") })
    }

    /// Starts the server in a workspace unless it runs, and waits until it listens.
    func serve(in workspace: String, host: String) async throws {
        let script = """
            pgrep -x -f '\(Self.server)' > /dev/null || { SIDE=workspace HOST=\(host) setsid \(Self.server) > ~/echo.log 2>&1 < /dev/null & }
            for i in $(seq 400); do ss -ltn | grep -q ':3000 ' && exit 0; sleep 0.05; done; cat ~/echo.log; exit 1
            """
        let started = try await instance.inside(workspace, script)
        #expect(started.status == 0, "\(started.output) \(started.errors)")
    }

    private func stopServing(in workspace: String) async throws {
        #expect(try await instance.inside(workspace, "pkill -9 -x -f '\(Self.server)'").status == 0)
    }

    /// Without any daemon's help.
    private func stopServingByForce() async throws {
        for process in try await Program.check("/usr/bin/pgrep", ["-x", "-f", Self.server]).split(separator: "\n").compactMap({ Int32($0) }) {
            kill(process, SIGKILL)
        }
    }

    func namespace(_ workspace: String) async throws -> String { "\(instance.prefix)-w-\(try await instance.id("ws", workspace))" }

    private func workspaceAddress(_ workspace: String) async throws -> String {
        try await Program.check(
            "/bin/sh", ["-c", #"ip netns exec "$1" ip -4 -o addr show lo | grep -o '198\.19\.[0-9.]*' | head -n 1"#, "sh", namespace(workspace)]
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What the service answers to a workspace, on a new connection.
    private func ask(_ workspace: String) async throws -> String {
        try await curl(in: namespace(workspace)).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func side(_ workspace: String) async throws -> String { String(try await ask(workspace).prefix { $0 != " " }) }

    /// The answer on a new connection; nothing when it failed, as it may while a dead listener's traffic is on its way back.
    func curl(in namespace: String, _ port: String = ":8080") async throws -> String {
        try await Program.run(
            "/usr/sbin/ip",
            ["netns", "exec", namespace, "/usr/bin/curl", "--silent", "--show-error", "--max-time", "5"]
                + (port == ":8082" ? ["--http2-prior-knowledge"] : []) + ["http://\(address)\(port)/"]
        ).output
    }

    private func status(_ namespace: String, _ url: String) async throws -> Int {
        try await Program.run("/usr/sbin/ip", ["netns", "exec", namespace, "/usr/bin/curl", "--silent", "--max-time", "5", url]).status
    }

    /// The phase of the one intercept of `coder`.
    private func phase() async throws -> String {
        let status = try await instance.json("ws", "show", "coder")["status"] as? [String: Any]
        let intercepts = status?["intercepts"] as? [[String: Any]] ?? []
        return intercepts.count == 1 ? intercepts[0]["phase"] as? String ?? "" : "\(intercepts.count) intercepts"
    }

    /// The keys of the environment's map: what the kernel really does.
    func elements() async throws -> [String] {
        let namespace = "\(instance.prefix)-e-\(try await instance.id("env", "echo"))"
        let text = try await Program.check(
            "/usr/sbin/ip", ["netns", "exec", namespace, "/usr/sbin/nft", "-j", "list", "map", "ip", "kiln", "intercepts"])
        let items = (try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])?["nftables"] as? [[String: Any]] ?? []
        let map = items.compactMap { $0["map"] as? [String: Any] }.first
        return (map?["elem"] as? [[Any]] ?? []).compactMap { pair in
            ((pair[0] as? [String: Any])?["concat"] as? [Any])?.map { "\($0)" }.joined(separator: " . ")
        }
    }
}
