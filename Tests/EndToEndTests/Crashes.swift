import Foundation
import Testing

/// Kills the daemons at random points through loops of everyday work, then compares what exists with what should.
struct Crashes {
    let instance: TestInstance

    func check() async throws {
        try await dataPlaneGoesOn()
        try await randomKills()
    }

    /// While each daemon is dead, the workspace runs and its connection answers.
    private func dataPlaneGoesOn() async throws {
        let workspace = try await instance.id("ws", "hello")
        let namespace = "\(instance.prefix)-w-\(workspace)"
        let index = try await apiIndex()
        func answers() async throws -> Bool {
            // By the namespace alone: no daemon of ours is asked.
            try await Program.run(
                "/usr/sbin/ip",
                ["netns", "exec", namespace, "/usr/bin/curl", "-s", "-m", "5", "http://198.18.0.\(index):8080/healthz"]
            ).status == 0
        }
        #expect(try await answers())
        for victim in ["kilnd", "kiln-agent", "podman"] {
            try await instance.kill(victim)
            if victim != "podman" { #expect(try await answers(), "while \(victim) is dead") }
            switch victim {
            case "kilnd": try await instance.startServer()
            case "kiln-agent": try await instance.startAgent()
            default: break
            }
            try await waitUntil("a command runs after \(victim) was killed", within: 60) {
                try await instance.tryKl("ws", "exec", "hello", "--", "true").status == 0
            }
            #expect(try await answers(), "after \(victim) came back")
        }
    }

    private func apiIndex() async throws -> Int {
        let spec = try await instance.json("env", "show", "shop")["spec"] as? [String: Any]
        let services = spec?["services"] as? [[String: Any]] ?? []
        return services.first { $0["name"] as? String == "api" }?["addressIndex"] as? Int ?? 0
    }

    private func randomKills() async throws {
        let rounds = Int(ProcessInfo.processInfo.environment["KILN_CRASH_ROUNDS"] ?? "6") ?? 6
        let steady = try await instance.traces().filter { !$0.hasPrefix("process") }
        for round in 0..<rounds {
            let name = "crash\(round)"
            let work = Task {
                for step in [
                    ["ws", "create", name], ["env", "connect", "shop", "--workspace", name], ["ws", "suspend", name], ["ws", "resume", name],
                    ["ws", "delete", name, "--yes"],
                ] {
                    // Many of these fail: that is the point. What counts is what is there afterwards.
                    _ = try await instance.tryKl(step)
                }
            }
            let victim = ["kilnd", "kiln-agent", "podman"][round % 3]
            try await Task.sleep(for: .milliseconds(Int.random(in: 10...900)))
            try await instance.kill(victim)
            if victim == "kilnd" { try await instance.startServer() }
            if victim == "kiln-agent" { try await instance.startAgent() }
            try await work.value
            try await waitUntil("kilnd is ready after \(victim) was killed", within: 60) {
                try await Program.run("/usr/bin/curl", ["-sf", "http://127.0.0.1:\(instance.port)/readyz"]).status == 0
            }
            // Whatever the loop left is as its status says; deleting it must take every trace along.
            if try await instance.tryKl("ws", "show", name).status == 0 {
                let deleted = try await instance.tryKl("ws", "delete", name, "--yes")
                #expect(deleted.status == 0 || deleted.status == 3, "\(deleted.errors)")
            }
        }
        try await waitUntil("nothing is left of what the kills interrupted", within: 60) {
            try await instance.traces().filter { !$0.hasPrefix("process") } == steady
        }
        var containers = ""
        // The last of the killed may have been Podman, which the agent starts again.
        try await waitUntil("Podman answers", within: 60) {
            let answer = try await Program.run(
                "/usr/bin/curl", ["-sf", "--unix-socket", instance.podmanSocket, "http://d/v4.0.0/libpod/containers/json?all=true"])
            containers = answer.output
            return answer.status == 0
        }
        #expect(!containers.contains("crash"))
        #expect(try await instance.inside("hello", "ls -A ~/workspaces").output == "hello\n")
        #expect(try await instance.tryKl("ws", "exec", "hello", "--", "curl", "-sf", "http://api:8080/healthz").status == 0, "the connection went on")
    }
}
