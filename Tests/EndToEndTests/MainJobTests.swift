import Foundation
import Testing

/// The main job from end to end, on the release binaries: real containers, namespaces, PostgreSQL, Redis. Each step also breaks the real
/// thing and sees that the check fails. Each test has an instance of its own, which is purged at the end.
@Suite(.serialized) struct SerialEndToEnd {
    @Test func `A developer's whole way works, and nothing is left when it is purged`() async throws {
        let instance = try await TestInstance.with { instance in
            try await workspaces(instance)
            try await badInput(instance)
            try await environment(instance)
            try await Containment(instance: instance).check()
            try await suspendAndResume(instance)
            try await Crashes(instance: instance).check()
            try await sideBySide(instance)
            return instance
        }
        #expect(try await instance.traces() == [])
    }

    @Test func `What is said of a workspace is what the kernel does, and what was asked for is awaited`() async throws {
        let instance = try await TestInstance.with { instance in
            try await Surface(instance: instance).check()
            return instance
        }
        #expect(try await instance.traces() == [])
    }

    @Test func `Settings reach the services that use them, and two owners use one environment`() async throws {
        let instance = try await TestInstance.with { instance in
            try await Together(instance: instance).check()
            return instance
        }
        #expect(try await instance.traces() == [])
    }

    @Test func `Intercepts do what they say, lose nothing, come back after a reboot, and leave nothing`() async throws {
        let instance = try await TestInstance.with { instance in
            try await Intercepts(instance: instance).check()
            return instance
        }
        #expect(try await instance.traces() == [])
    }

    @Test func `The examples do their work`() async throws {
        let instance = try await TestInstance.with { instance in
            try await Examples(instance: instance).check()
            return instance
        }
        #expect(try await instance.traces() == [])
    }

    @Test func `A package is there in every shell at once, in the next workspace, after a suspension and after a kill, and goes with its workspace`()
        async throws
    {
        let instance = try await TestInstance.with { instance in
            try await Packages(instance: instance).check()
            return instance
        }
        #expect(try await instance.traces() == [])
    }

    @Test func `Names are the same to everybody who looks them up`() async throws {
        let instance = try await TestInstance.with { instance in
            try await Names(instance: instance).check()
            return instance
        }
        #expect(try await instance.traces() == [])
    }

    private func workspaces(_ instance: TestInstance) async throws {
        try await instance.kl("ws", "create", "hello", "--cpus", "1.5", "--memory", "512M", "--env", "GREETING=good day")
        let me = try await instance.inside(
            "hello", "id -un; hostname; pwd; echo $GREETING; echo $LANG; sudo id -u; cat /sys/fs/cgroup/pids.max 2>/dev/null; true")
        #expect(me.output.split(separator: "\n").prefix(6) == ["dev", "hello", "/home/dev/workspaces/hello", "good day", "C.UTF-8", "0"])

        #expect(try await instance.tryKl("ws", "exec", "hello", "--", "sh", "-c", "exit 7").status == 7)
        #expect(try await instance.tryKl("ws", "exec", "hello", "--", "cat", input: "through stdin").output == "through stdin")
        #expect(try await instance.tryKl("ws", "exec", "hello", "--", "no-such-program").status == 127)
        let ended = try await Program.run(
            "/usr/bin/timeout",
            ["-s", "INT", "--foreground", "2", "/bin/sh", "-c", "exec \"$@\"", "sh"]
                + instance.command("ws", "exec", "hello", "--", "sh", "-c", "trap 'echo caught; exit 9' INT; while :; do sleep 0.1; done"),
            environment: instance.environment)
        #expect(ended.output == "caught\n")

        // A machine a developer trusts.
        let ports = try await instance.inside(
            "hello",
            "python3 -c 'import socket; socket.create_server((\"0.0.0.0\", 80))' && ping -c 1 -W 2 127.0.0.1 > /dev/null && ls /sys/class/net && cat /etc/hosts && command -v kl && kl version"
        )
        #expect(ports.status == 0, "\(ports.errors)")
        #expect(
            ports.output.contains("eth0\nlo\n") && !ports.output.contains("veth") && ports.output.contains("/opt/kiln/bin/kl")
                || ports.output.contains("/usr/local/bin/kl"))
        #expect(try await instance.inside("hello", "command -v jq rg node").output.isEmpty)
        #expect(try await instance.inside("hello", "kl status").output.contains("hello"))

        // Limits hold: a process that takes more memory than the workspace has is killed, the workspace lives.
        let greedy = try await instance.inside("hello", "python3 -c 'x = bytearray(1 << 30)'; echo status $?")
        #expect(!greedy.output.contains("status 0"))
        #expect(try await instance.inside("hello", "true").status == 0)

        // A background process outlives its exec.
        _ = try await instance.inside("hello", "setsid sleep 4321 > /dev/null 2>&1 < /dev/null & true")
        #expect(try await instance.inside("hello", "pgrep -f 'sleep 4321'").status == 0)

        // Another workspace of the machine shares the home; each has its folder.
        try await instance.kl("ws", "create", "other")
        _ = try await instance.inside("hello", "echo shared > ~/note")
        #expect(try await instance.inside("other", "cat ~/note; pwd").output == "shared\n/home/dev/workspaces/other\n")
        #expect(try await instance.inside("hello", "ls ~/workspaces").output == "hello\nother\n")

        // Another workmachine's home is out of reach.
        try await instance.kl("machine", "create", "second")
        try await instance.kl("ws", "create", "away", "--workmachine", "second")
        #expect(try await instance.inside("away", "cat ~/note").status != 0)
        try await instance.kl("ws", "delete", "away", "--yes")
        try await instance.kl("machine", "delete", "second", "--yes")

        try await instance.kl("ws", "delete", "other", "--yes")
        #expect(try await instance.inside("hello", "ls ~/workspaces").output == "hello\n")
        #expect(try await instance.tryKl("ws", "show", "other").status == 3)
    }

    private func badInput(_ instance: TestInstance) async throws {
        for name in ["", "../x", "a;b", "-x", "x-", String(repeating: "a", count: 64), "hеllo", "Hello", "$(id)"] {
            #expect(try await instance.tryKl("ws", "create", "--", name).status == 2, "the name “\(name)”")
        }
        #expect(try await instance.tryKl("ws", "create", "hello").status == 5)
        #expect(try await instance.tryKl("ws", "exec", "nobody", "--", "true").status == 3)
        #expect(try await instance.tryKl("ws", "delete", "hello").status == 2, "without a terminal and --yes a question is a usage error")
        let clone = try await instance.tryKl("ws", "create", "broken", "--git", "http://127.0.0.1:9/nothing.git")
        #expect(clone.status == 1 && clone.errors.contains("clone"), "\(clone.errors)")
        #expect(try await instance.inside("hello", "ls -A ~/workspaces").output == "hello\n")
        try await instance.kl("ws", "delete", "broken", "--yes")
        let image = try await instance.tryKl("ws", "create", "imageless", "--image", "localhost/no/such:1")
        #expect(image.status == 1 && image.errors.contains("no/such"), "\(image.errors)")
        try await instance.kl("ws", "delete", "imageless", "--yes")
    }

    private func environment(_ instance: TestInstance) async throws {
        try await instance.kl("env", "create", "shop", "--file", instance.example("shop/compose.yaml"))
        // Unconnected: nothing resolves, nothing is reached.
        #expect(try await instance.inside("hello", "getent hosts postgres").status != 0)
        #expect(try await instance.tryKl("ws", "exec", "hello", "--", "kl", "env", "connect", "shop").status == 0)
        let address = try await instance.inside("hello", "getent hosts postgres")
        #expect(address.output.hasPrefix("198.18.0."))
        try await services(instance)
        let status = try await instance.inside("hello", "kl env status")
        #expect(["postgres", "redis", "api", "5432", "6379", "8080"].allSatisfy { status.output.contains($0) }, "\(status.output)")
        #expect(!status.output.contains("Unhealthy"))

        // Broken for real: a service that no longer answers is seen, and seen to recover.
        let shop = try await instance.id("env", "shop")
        let redis = try await servers("redis-server", in: "\(instance.prefix)-s-\(shop)-2")
        #expect(!redis.isEmpty)
        for process in redis { kill(process, SIGSTOP) }
        try await waitUntil("the stopped Redis is unhealthy", within: 60) {
            try await instance.inside("hello", "kl env status --json").output.contains("nhealthy")
        }
        for process in redis { kill(process, SIGCONT) }
        try await waitUntil("Redis is healthy again", within: 60) {
            try await !instance.inside("hello", "kl env status --json").output.contains("nhealthy")
        }

        // Disconnected: a blocked read errors, and the name is gone. Connected again from outside.
        let read = Task {
            try await instance.inside(
                "hello",
                "python3 -c 'import socket,time\ns = socket.create_connection((\"redis\", 6379))\nprint(\"open\", flush=True)\ntry:\n  s.recv(1)\n  print(\"end\")\nexcept OSError as e: print(\"error\", time.time())'"
            )
        }
        try await Task.sleep(for: .seconds(1))
        try await instance.kl("env", "disconnect", "--workspace", "hello")
        let disconnected = Date().timeIntervalSince1970
        let outcome = try await read.value.output.split(separator: " ").compactMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        #expect(outcome.count == 1 && outcome[0] < disconnected + 0.1, "a blocked read must error within 100 ms of the disconnect")
        #expect(try await instance.inside("hello", "getent hosts postgres").status != 0)
        try await instance.kl("env", "connect", "shop", "--workspace", "hello")
        try await services(instance)
        try await namesake(instance)

        // Stop and start: volumes keep what was written. A second environment of the same file builds nothing.
        _ = try await instance.inside("hello", "exec 3<>/dev/tcp/redis/6379; printf 'SET kept yes\\r\\nSAVE\\r\\n' >&3; head -n 2 <&3")
        try await instance.kl("env", "stop", "shop")
        #expect(
            try await instance.inside("hello", "timeout 3 bash -c '</dev/tcp/redis/6379'; echo $?").output == "1\n", "refused at once, not hanging")
        try await instance.kl("env", "start", "shop")
        #expect(try await instance.inside("hello", "exec 3<>/dev/tcp/redis/6379; printf 'GET kept\\r\\n' >&3; head -n 2 <&3").output.contains("yes"))
        let begin = ContinuousClock.now
        try await instance.kl("env", "create", "again", "--file", instance.example("shop/compose.yaml"))
        #expect(ContinuousClock.now - begin < .seconds(60), "no image was built again")
        try await instance.kl("env", "delete", "again", "--yes", "--volumes")
    }

    /// A workspace that is called like a service is itself while it is alone, without sudo or ping complaining, and finds the service once connected.
    private func namesake(_ instance: TestInstance) async throws {
        try await instance.kl("ws", "create", "api")
        let alone = try await instance.inside("api", "hostname; sudo true 2>&1; ping -c 1 -q api > /dev/null; echo $?")
        #expect(alone.output == "api\n0\n", "\(alone)")
        try await instance.kl("env", "connect", "shop", "--workspace", "api")
        let connected = try await instance.inside("api", "curl -s http://api:8080/; sudo true 2>&1")
        #expect(connected.output.hasPrefix(#"{"service": "api""#) && !connected.output.contains("sudo"), "\(connected)")
        try await instance.kl("ws", "delete", "api", "--yes")
    }

    /// The processes of a program in a network namespace.
    private func servers(_ program: String, in namespace: String) async throws -> [Int32] {
        try await Program.check("/usr/sbin/ip", ["netns", "pids", namespace]).split(separator: "\n").compactMap { Int32($0) }.filter {
            try String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8) == program + "\n"
        }
    }

    /// PostgreSQL, Redis and the API really answer, spoken to with what the base image has.
    private func services(_ instance: TestInstance) async throws {
        let redis = try await instance.inside("hello", "exec 3<>/dev/tcp/redis/6379; printf 'PING\\r\\n' >&3; head -n 1 <&3")
        #expect(redis.output == "+PONG\r\n", "\(redis.errors)")
        let api = try await instance.inside("hello", "curl -sS -m 10 http://api:8080/")
        #expect(api.status == 0 && api.output.hasPrefix("{"), "\(api.errors)")
        // The server's answer to an SSLRequest (PostgreSQL protocol 3.0): one byte, N or S.
        let postgres = try await instance.inside(
            "hello", "exec 3<>/dev/tcp/postgres/5432; printf '\\0\\0\\0\\x08\\x04\\xd2\\x16\\x2f' >&3; head -c 1 <&3")
        #expect(["N", "S"].contains(postgres.output), "\(postgres.errors)")
    }

    private func suspendAndResume(_ instance: TestInstance) async throws {
        _ = try await instance.inside("hello", "echo work > work; sudo touch /etc/gone; echo mine > ~/kept")
        let address = try await instance.inside("hello", "ip -4 -o addr show lo").output
        try await instance.kl("ws", "suspend", "hello")
        #expect(try await instance.tryKl("ws", "exec", "hello", "--", "true").status == 5)
        try await instance.kl("ws", "resume", "hello")
        #expect(try await instance.inside("hello", "cat work ~/kept; ls /etc/gone").output == "work\nmine\n")
        #expect(try await instance.inside("hello", "ip -4 -o addr show lo").output == address)
        try await services(instance)
    }

    /// Another instance beside this one; purging it leaves this one whole.
    private func sideBySide(_ instance: TestInstance) async throws {
        let other = try await TestInstance.with { other in
            try await other.kl("ws", "create", "hello")
            #expect(try await other.inside("hello", "cat ~/kept").status != 0)
            #expect(try await instance.inside("hello", "cat ~/kept").output == "mine\n")
            return other
        }
        #expect(try await other.traces() == [])
        #expect(try await instance.inside("hello", "cat ~/kept").output == "mine\n")
        try await services(instance)
    }
}
