import KilnModel
import Synchronization
import Testing
import WorkspaceEngine

@testable import LinuxEngine

/// What services find when they run, and what is said of those that do not.
extension LiveEnvironmentTests {
    @Test static func `A new volume is given what the image has at its place, once`() async throws {
        try await LiveEngine.with { live in
            func mount(_ volume: String, _ path: String, empty: Bool? = nil) throws -> Service.VolumeMount {
                .init(volume: try VolumeName(volume), path: path, isEmpty: empty)
            }
            // Links that lead out of it, an owner and bits of its own, and one that is to be empty.
            let mounts = try [
                mount("links", "/etc/alternatives"), mount("mail", "/var/mail"), mount("none", "/etc/apt", empty: true), mount("new", "/srv/new"),
            ]
            var target = try Live.environment(
                Live.service("a", 1) { $0.volumes = mounts }, Live.service("b", 2) { $0.volumes = mounts }, Live.service("plain", 3))
            try await live.running(target)
            let look = "cd /etc/alternatives; for f in *; do echo $f $(readlink $f); done; stat -c '%u %g %a' /etc/alternatives /var/mail"
            let wanted = try await live.run(look, in: target.id, "plain")
            #expect(wanted.contains("0 8 2775") && wanted.split(separator: "\n").count > 10, "\(wanted)")
            for service in ["a", "b"] {
                #expect(try await live.run(look, in: target.id, service) == wanted)
                #expect(try await live.run("ls -A /etc/apt /srv/new", in: target.id, service) == "/etc/apt:\n\n/srv/new:\n")
            }
            _ = try await live.run("rm /etc/alternatives/awk; echo kept > /srv/new/file", in: target.id, "a")
            target.generations = [try Name("a"): 1]
            try await live.running(target)
            #expect(try await live.run("ls /etc/alternatives/awk; cat /srv/new/file", in: target.id, "a") == "kept\n")
            try await live.engine.remove(target, volumes: true)
        }
    }

    @Test static func `A line without an end is shown, a program that is not there is named, and exec has the service's limits`() async throws {
        try await LiveEngine.with { live in
            let (prompt, lost, ended) = (try Name("prompt"), try Name("lost"), try Name("ended"))
            let target = try Live.environment(
                Live.service("prompt", 1, "printf 'Name: '; exec sleep infinity") {
                    $0.settings.processLimits = [ProcessLimit(kind: .nofile, soft: 123, hard: 456)]
                },
                Live.service("lost", 2) { $0.command = ["no-such-program", "x"] }, Live.service("ended", 3, "printf half; exit 3"))
            let statuses = try await live.settle(target) {
                $0[lost]?.phase == .failed && $0[ended]?.phase == .failed && $0[prompt]?.phase == .running
            }
            #expect(statuses[lost]?.reason?.message == "lost ended with status 1: its program no-such-program is not in its image.")
            #expect(statuses[ended]?.crash?.lastLines == ["half"])
            #expect(try await live.run("ulimit -Sn; ulimit -Hn", in: target.id, "prompt") == "123\n456\n")
            for (service, text) in [(prompt, "Name: "), (ended, "half")] {
                let lines = Mutex<[String]>([])
                let request = LogRequest(source: .service(environment: target.id, name: service, replica: 1))
                try await live.engine.logs(request) { line in lines.withLock { $0.append(line.text) } }
                #expect(lines.withLock(\.self) == [text])
            }
            try await live.engine.remove(target, volumes: true)
        }
    }
}
