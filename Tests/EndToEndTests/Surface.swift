import Foundation
import Testing

/// What the API and `kl` say of running workspaces, held against what the kernel does.
struct Surface {
    let instance: TestInstance

    func check() async throws {
        try await patience()
        try await limits()
        try await variables()
        try await completion()
    }

    /// `Prefer: wait` with an engine that takes its time: one answer tells what has come about.
    private func patience() async throws {
        let made = try await instance.api("POST", "/workspaces", #"{"name":"hello"}"#, headers: ["Prefer: wait=5"])
        #expect(made.status == 201 && made.head.contains("preference-applied: wait=5"), "\(made)")
        #expect(made.body.contains(#""phase":"Running""#), "\(made.body)")
        let asked = try await instance.api("POST", "/workspaces/tester%2Fhello/suspend", headers: ["Prefer: wait=5"])
        #expect(asked.status == 202 && asked.body.contains(#""phase":"Suspended""#), "\(asked.body)")
        // Who does not ask to wait is not kept waiting.
        let resumed = try await instance.api("POST", "/workspaces/hello/resume")
        #expect(resumed.status == 202 && resumed.body.contains(#""phase":"Suspended""#) && !resumed.head.contains("preference-applied"))
        // What takes longer than that is answered as it is by then.
        let compose =
            #"{"name":"slow","bundle":{"sources":{"files":[{"path":"c.yaml","text":"TEXT"}],"texts":{},"absent":[],"variables":{},"profiles":[]},"#
            + #""contexts":{},"copies":{},"secrets":[]}}"#
        let text =
            #"services:\n  a:\n    image: localhost/kiln/workspace\n    command: [sleep, infinity]\n"#
            + #"    healthcheck: {test: [CMD, "false"], start_period: 60s}\n"#
        let body = compose.replacingOccurrences(of: "TEXT", with: text.replacingOccurrences(of: "\"", with: #"\""#))
        let begin = ContinuousClock.now
        let slow = try await instance.api("POST", "/environments", body, headers: ["Prefer: wait=2"])
        #expect(slow.status == 201 && slow.body.contains(#""phase":"Starting""#) && slow.head.contains("preference-applied: wait=2"), "\(slow)")
        #expect((2..<4).contains((ContinuousClock.now - begin) / .seconds(1)))
        try await instance.kl("env", "delete", "slow", "--yes")
    }

    /// Limits hold in the running workspace, and what was killed for memory is told.
    private func limits() async throws {
        try await instance.kl("ws", "update", "hello", "--cpus", "0.5", "--memory", "256M")
        let begin = try await usage("cpuNanoseconds")
        _ = try await instance.inside("hello", "timeout 2 sh -c 'while :; do :; done'")
        #expect(try await usage("cpuNanoseconds") - begin < 1_600_000_000, "two seconds of half a CPU")
        let quiet = try await instance.kl("status", "--workspace", "hello")
        #expect(quiet.contains("0.5 CPUs at most\n") && quiet.contains(" of 256 MiB, ") && !quiet.contains("killed"), "\(quiet)")
        #expect(try await instance.inside("hello", "python3 -c 'x = bytearray(1 << 30)'; echo $?").output.contains("137"))
        for arguments in [["status", "--workspace", "hello"], ["ws", "show", "hello"]] {
            let told = try await instance.tryKl(arguments).output
            #expect(told.contains("1 process was killed") && told.contains("kl ws update hello --memory"), "\(told)")
        }
        // Memory that is in use is not taken away: both are told, what holds and what will.
        try await instance.kl("ws", "update", "hello", "--memory", "512M")
        let hog = Task {
            try await instance.inside(
                "hello",
                "python3 -c 'import sys; x = bytearray(300 << 20); print(len(x), flush=True); sys.stdin.read()' < <(until [ -e enough ]; do sleep 0.1; done); echo $?"
            )
        }
        try await waitUntil("memory is in use", within: 30) { try await usage("memory") >= 300 << 20 }
        try await instance.kl("ws", "update", "hello", "--memory", "128M")
        let later = try await instance.kl("status", "--workspace", "hello")
        #expect(later.contains(" of 512 MiB, ") && later.contains("; 128 MiB from the next resume on"), "\(later)")
        _ = try await instance.inside("hello", "touch enough")
        #expect(try await hog.value.output == "314572800\n0\n")
        try await instance.kl("ws", "suspend", "hello")
        try await instance.kl("ws", "resume", "hello")
        let fresh = try await instance.kl("status", "--workspace", "hello")
        #expect(fresh.contains(" of 128 MiB, ") && !fresh.contains("next resume") && !fresh.contains("killed"), "\(fresh)")
    }

    private func usage(_ figure: String) async throws -> Int {
        let usage = try await instance.json("status", "--workspace", "hello")["usage"] as? [String: Any]
        return usage?[figure] as? Int ?? 0
    }

    private func variables() async throws {
        for key in ["PATH", "HOME", "KILN_WORKSPACE"] {
            let refused = try await instance.tryKl("ws", "create", "other", "--env", "\(key)=/x")
            #expect(refused.status == 2 && refused.errors.contains("\(key) is set by Kiln"), "\(refused.errors)")
            #expect(try await instance.tryKl("ws", "update", "hello", "--env", "\(key)=/x").status == 2)
        }
        #expect(try await instance.tryKl("ws", "show", "other").status == 3)
    }

    /// As somebody at a terminal has it: from the first tab on, names included.
    private func completion() async throws {
        let typist = #"""
            import os, pty, select, sys, time
            pid, terminal = pty.fork()
            if pid == 0:
                os.execvp(sys.argv[1], [sys.argv[1], "-li"])
            seen = b""
            def await_text(text, seconds=10):
                global seen
                end = time.time() + seconds
                while time.time() < end and text not in seen:
                    if select.select([terminal], [], [], 0.1)[0]:
                        seen += os.read(terminal, 4096)
            await_text(b"hello")
            for keys, answer in [(b"kl works\t", b"kl workspace "), (b"susp\t", b"suspend "), (b"hel\t", b"hello ")]:
                seen = b""
                os.write(terminal, keys)
                await_text(answer)
                print(answer in seen or seen)
            """#
        for shell in ["bash", "zsh"] {
            let typed = try await instance.tryKl(["ws", "exec", "hello", "--", "python3", "-", shell], input: typist)
            #expect(typed.output == "True\nTrue\nTrue\n", "\(shell): \(typed)")
        }
    }
}
