import Foundation
import Testing

/// Switches under every kind of load: nothing is lost, and whatever begins after a switch reaches the new side. Then the same with the daemons
/// being killed meanwhile.
struct InterceptLoad {
    let intercepts: Intercepts
    private var instance: TestInstance { intercepts.instance }
    private static let start = ["intercept", "start", "echo", "--port", "8080:3000", "--port", "9000:3001/udp", "--workspace", "coder"]
    private static let stop = ["intercept", "stop", "echo", "--workspace", "coder"]

    /// As many as the claim is about; KILN_SWITCHES=50 for a look in between.
    private static let switches = ProcessInfo.processInfo.environment["KILN_SWITCHES"].flatMap(Int.init) ?? 1000

    func check() async throws {
        try await intercepts.serve(in: "coder", host: "127.0.0.1")
        try await aSwitchThatIsNoneIsSeen()
        try await manySwitches()
        try await kills()
        try await suspend()
    }

    /// The load's own check: where nothing is switched, it has to say that the new side was not reached, whichever way.
    private func aSwitchThatIsNoneIsSeen() async throws {
        let tools = LoadTools(namespace: try await intercepts.namespace("caller"), instance: instance, address: intercepts.address)
        let nothing = #"["/bin/true"]"#
        let load = try await tools.start("load", caller(["--rounds", "1", "--start", nothing, "--stop", nothing]))
        try await waitUntil("the load has ended", within: 60) { kill(load.process, 0) != 0 }
        #expect(try load.output().contains("switch to workspace: ['original', 'original', 'original', 'original']"))
    }

    private func manySwitches() async throws {
        // kl lives where the host does, the callers in a workspace's namespace.
        let home = ["/usr/bin/nsenter", "--net=/proc/\(getpid())/ns/net", "/usr/bin/env", "HOME=\(instance.environment["HOME"] ?? "")"]
        func text(_ command: [String]) throws -> String { String(decoding: try JSONEncoder().encode(home + command), as: UTF8.self) }
        let rounds = max(1, Self.switches / 2)
        let report = try await underLoad(
            ["--rounds", "\(rounds)", "--start", text(instance.command(Self.start)), "--stop", text(instance.command(Self.stop))]
        ) { load in
            try await waitUntil("\(rounds * 2) switches are done", within: 60 + Double(rounds)) { kill(load, 0) != 0 }
        }
        #expect(report["switches"] == ["workspace": rounds, "original": rounds])
        for way in ["http", "kept", "websocket", "http2", "udp"] {
            for side in ["workspace", "original"] { #expect((report[way]?[side] ?? 0) > rounds / 50, "\(way) reached the \(side)") }
        }
        #expect(try await intercepts.elements() == [])
    }

    private func kills() async throws {
        _ = try await underLoad([]) { _ in
            for round in 0..<9 {
                let work = Task {
                    // Many of these fail: that is the point.
                    for verb in [Self.start, Self.stop] { _ = try await instance.tryKl(verb + ["--timeout", "20"]) }
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 5...150)))
                let victim = ["kiln-agent", "kilnd", "podman"][round % 3]
                try await instance.kill(victim)
                if victim == "kilnd" { try await instance.startServer() }
                if victim == "kiln-agent" { try await instance.startAgent() }
                try await work.value
            }
            try await waitUntil("a command runs", within: 60) { try await instance.inside("coder", "true").status == 0 }
            try await instance.kl("intercept", "start", "echo", "--port", "8080:3000", "--workspace", "coder")
            #expect(try await intercepts.elements() == ["198.18.0.1 . tcp . 8080"])
            try await instance.kl("intercept", "stop", "--workspace", "coder")
            #expect(try await intercepts.elements() == [], "no rule without its intercept")
        }
    }

    /// A planned suspend loses nothing either. (It ends what is open and idle, so nobody keeps anything open.)
    private func suspend() async throws {
        try await instance.kl("intercept", "start", "echo", "--port", "8080:3000", "--workspace", "coder")
        _ = try await underLoad(["--ways", "http"], kept: false) { _ in try await instance.kl("ws", "suspend", "coder") }
        try await instance.kl("ws", "resume", "coder")
        try await instance.kl("intercept", "stop", "--workspace", "coder")
    }

    private func caller(_ options: [String]) -> [String] {
        ["/usr/bin/python3", instance.file("Echo/load.py"), intercepts.address, "8080", "9000"] + options
    }

    /// Runs `body` while the caller's namespace calls in every way, wrk and h2load too; not one request may have failed.
    /// - Parameter kept: whether connections that were open before must go on as well.
    /// - Returns: how often each way reached each side.
    private func underLoad(
        _ options: [String], kept: Bool = true, _ body: (_ load: Int32) async throws -> Void
    ) async throws -> [String: [String: Int]] {
        let tools = LoadTools(namespace: try await intercepts.namespace("caller"), instance: instance, address: intercepts.address)
        let load = try await tools.start("load", caller(options))
        let others = try await tools.startOthers(kept: kept)
        do {
            try await waitUntil("the load has begun", within: 60) { try load.output().hasPrefix("ready") }
            try await body(load.process)
        } catch {
            for program in [load] + others { kill(program.process, SIGKILL) }
            throw error
        }
        kill(load.process, SIGTERM)
        try await tools.stop(others)
        try await waitUntil("the load has ended", within: 60) { kill(load.process, 0) != 0 }
        for program in others {
            let output = try program.output()
            #expect(try program.failures() == [], "\(output)")
        }

        let said = try load.output().split(separator: "\n").last ?? ""
        let report = try JSONSerialization.jsonObject(with: Data(said.utf8)) as? [String: Any] ?? [:]
        #expect(report["errors"] as? [String] == [], "\(said.prefix(2000))\n\(instance.lastLogLines())")
        let counts = report["counts"] as? [String: [String: Int]] ?? [:]
        #expect((counts["http"]?.values.reduce(0, +) ?? 0) > 10)
        print("load: \(counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))")
        return counts
    }
}
