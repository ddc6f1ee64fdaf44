import Foundation

/// wrk and h2load, run in a namespace for as long as it takes, at a pace that leaves the machine time for what is tested.
struct LoadTools {
    let namespace: String
    let instance: TestInstance
    let address: String

    struct Running {
        let process: Int32
        let log: String

        func output() throws -> String { try String(contentsOfFile: log, encoding: .utf8) }

        /// The lines that tell of something else than success; one that says so when there is no line at all.
        func failures() throws -> [String] {
            let lines = try output().split(separator: "\n").map(String.init)
            let bad = lines.filter { line in
                line.contains("Socket errors") || line.contains("Non-2xx")
                    || line.hasPrefix("requests:") && !line.hasSuffix(" 0 failed, 0 errored, 0 timeout")
            }
            let hasResult = lines.contains { $0.contains("requests in") || $0.hasPrefix("requests:") }
            return hasResult ? bad : ["nothing was measured"]
        }
    }

    func start(_ name: String, _ command: [String]) async throws -> Running {
        let log = temporary(name)
        return Running(process: try await Program.start("/usr/sbin/ip", ["netns", "exec", namespace] + command, log: log), log: log)
    }

    /// - Parameter kept: with connections that stay open, by HTTP/1.1 and HTTP/2.
    func startOthers(kept: Bool) async throws -> [Running] {
        let pace = temporary("pace.lua")
        try Data("function delay() return 5 end\n".utf8).write(to: URL(fileURLWithPath: pace))
        let url = "http://\(address):8080/"
        let wrk = ["/usr/bin/wrk", "-t1", "-c1", "-d3600", "--timeout", "30s", "-s", pace]
        var running = [try await start("wrk", wrk + ["-H", "Connection: close", url])]
        if kept {
            running.append(try await start("wrk", wrk + [url]))
            // Stopped, it tells nothing: so it runs for a few seconds, again and again, until it is told not to.
            let script = "while [ ! -e \(end) ]; do /usr/bin/h2load -c1 -m4 --rps=100 -D3 \(url) || exit 1; done"
            running.append(try await start("h2load", ["/bin/sh", "-c", script]))
        }
        return running
    }

    func stop(_ programs: [Running]) async throws {
        try Data().write(to: URL(fileURLWithPath: end))
        for program in programs where try String(contentsOfFile: "/proc/\(program.process)/comm", encoding: .utf8) == "wrk\n" {
            kill(program.process, SIGINT)
        }
        try await waitUntil("the load has ended", within: 60) { programs.allSatisfy { kill($0.process, 0) != 0 } }
        try FileManager.default.removeItem(atPath: end)
    }

    private var end: String { "\(FileManager.default.temporaryDirectory.path)/\(instance.prefix)-load-ends" }

    private func temporary(_ name: String) -> String {
        "\(FileManager.default.temporaryDirectory.path)/\(instance.prefix)-\(UInt32.random(in: 0 ... .max))-\(name)"
    }
}
