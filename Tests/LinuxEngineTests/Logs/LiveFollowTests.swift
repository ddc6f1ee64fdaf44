import Glibc
import KilnModel
import Testing
import WorkspaceEngine

@testable import LinuxEngine

extension LiveEnvironmentTests {
    @Test static func `A follower sees every line once across a restart, other containers, and a stop and start`() async throws {
        try await LiveEngine.with { live in
            // Numbers its runs, and also prints something when it is told to end.
            let script = """
                run=$(($(cat /data/run 2>/dev/null || echo 0) + 1)); echo $run > /data/run
                trap 'echo "$run ends"; exit 0' TERM
                echo "$run begins"; echo "$run is ready"
                sleep infinity & wait
                """
            var target = try Live.environment(
                Live.service("api", 1, script, restart: .always) { $0.volumes = [.init(volume: try VolumeName("data"), path: "/data")] })
            let follower = Follower()
            let request = LogRequest(source: .service(environment: target.id, name: try Name("api"), replica: 1), follow: true)
            // It comes before the container.
            let following = Task {
                do {
                    try await live.engine.logs(request) { await follower.take($0.text) }
                } catch is CancellationError {
                } catch { Issue.record(error, "The follower ended.") }
            }
            defer { following.cancel() }

            try await live.running(target)
            try await follower.wait(for: "1 is ready")
            let first = try #require(try await live.containers(of: target.id)["api"])

            // Its program is killed, and the same container started again.
            let pid = try #require(try await live.engine.containers.inspect(first)).pid
            #expect(kill(Int32(pid), SIGKILL) == 0)
            try await follower.wait(for: "2 is ready")
            #expect(try await live.containers(of: target.id)["api"] == first)

            // Another container, twice.
            for run in 3...4 {
                target.generations = [try Name("api"): run]
                try await live.running(target)
                try await follower.wait(for: "\(run) is ready")
            }

            target.state = .stopped
            _ = try await live.engine.apply(target)
            target.state = .running
            try await live.running(target)
            try await follower.wait(for: "5 is ready")

            let begins = (1...5).map { ["\($0) begins", "\($0) is ready"] }
            #expect(await follower.lines == begins[0] + begins[1] + ["2 ends"] + begins[2] + ["3 ends"] + begins[3] + ["4 ends"] + begins[4])
            try await live.engine.remove(target, volumes: true)
        }
    }
}

/// What a follower was given so far.
private actor Follower {
    private(set) var lines: [String] = []
    private var waiting: (line: String, continuation: CheckedContinuation<Bool, Never>)?

    func take(_ line: String) {
        lines.append(line)
        if waiting?.line == line { answer(true) }
    }

    /// - Throws: when the line has not come within half a minute.
    func wait(for line: String) async throws {
        if lines.contains(line) { return }
        let limit = Task {
            try await Task.sleep(for: .seconds(30))
            answer(false)
        }
        defer { limit.cancel() }
        let came = await withCheckedContinuation { waiting = (line, $0) }
        guard came else { throw KilnError(.timedOut, "“\(line)” has not come; there are only \(lines).") }
    }

    private func answer(_ came: Bool) {
        waiting?.continuation.resume(returning: came)
        waiting = nil
    }
}
