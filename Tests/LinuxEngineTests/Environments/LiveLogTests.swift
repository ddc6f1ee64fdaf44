import KilnModel
import Synchronization
import Testing
import WorkspaceEngine

@testable import LinuxEngine

extension LiveEnvironmentTests {
    @Test static func `A log is followed from one container to the next, each line once, and read from a time on`() async throws {
        try await LiveEngine.with { live in
            let script = "run=$(cat /proc/sys/kernel/random/uuid); i=0; while :; do i=$((i+1)); echo $run $i; sleep 0.02; done"
            var target = try Live.environment(Live.service("talker", 1, script), Live.service("db", 2))
            try await live.running(target)
            let source = LogRequest.Source.service(environment: target.id, name: try Name("talker"))
            let (lines, taken) = AsyncStream<LogLine>.makeStream()
            let following = Task { try await live.engine.logs(LogRequest(source: source, follow: true)) { taken.yield($0) } }
            var runs: [String: [Int]] = [:]
            var order: [String] = []
            /// Takes lines until one of the newest run counts to `count`.
            func read(runs wanted: Int, until count: Int) async {
                for await line in lines {
                    let words = line.text.split(separator: " ").map(String.init)
                    if runs[words[0]] == nil { order.append(words[0]) }
                    runs[words[0], default: []].append(Int(words[1]) ?? 0)
                    if order.count == wanted, runs[words[0]]?.last == count { return }
                }
            }
            await read(runs: 1, until: 30)
            target.generations = [try Name("talker"): 1]
            try await live.running(target)
            await read(runs: 2, until: 30)
            // Killed, and started again: the same container.
            target.services[0].restart = .always
            try await live.running(target)
            let container = try #require(try await live.containers(of: target.id)["talker"])
            try await live.engine.containers.client.killContainer(container, signal: "KILL")
            await read(runs: 3, until: 30)
            following.cancel()
            _ = await following.result
            for run in order { #expect(runs[run] == Array(1...(runs[run]?.count ?? 1))) }

            // The same without following: what is there, from a time on, and the last ones.
            let all = try await collect(live, LogRequest(source: source))
            let middle = all[all.count / 2].time
            let since = try await collect(live, LogRequest(source: source, since: middle))
            #expect(since.first == all.first { $0.time >= middle })
            #expect(try await collect(live, LogRequest(source: source, tail: 3)).count == 3)
            try await live.engine.remove(target, volumes: true)
        }
    }

    private static func collect(_ live: LiveEngine, _ request: LogRequest) async throws -> [LogLine] {
        let lines = Mutex<[LogLine]>([])
        try await live.engine.logs(request) { line in lines.withLock { $0.append(line) } }
        return lines.withLock { $0 }
    }
}
