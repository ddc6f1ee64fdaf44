import CommandRunner
import FileWork
import FoundationEssentials
import Glibc
import KilnModel
import PodmanClient
import Testing

@testable import LinuxEngine

extension ContainerTests {
    @Suite(.timeLimit(.minutes(3)))
    struct LifecycleTests {
        let fixture = ContainerFixture.shared

        @Test func `A container is made, started, seen, stopped and removed, and every step may be repeated`() async throws {
            let host = try await fixture.ready()
            let spec = try fixture.spec(host) { $0.labels = ["kiln.case": "steps"] }
            let id = try await host.create(spec)
            #expect(try await host.inspect(id)?.phase == .created)
            try await host.start(id)
            try await host.start(id)
            let running = try #require(try await host.inspect(spec.name))
            #expect(running.phase == .running && running.pid > 0 && running.id == id)
            #expect(try await host.list(label: "kiln.case=steps").map(\.id) == [id])
            try await host.stop(id)
            try await host.stop(id)
            #expect(try await host.inspect(id)?.phase == .exited)
            try await host.remove(id)
            try await host.remove(id)
            #expect(try await host.inspect(id) == nil)
            try await host.stop(id)
        }

        @Test func `A taken name and an unknown image are told apart`() async throws {
            let host = try await fixture.ready()
            let spec = try fixture.spec(host)
            let id = try await host.create(spec)
            await #expect { try await host.create(spec) } throws: { ($0 as? KilnError)?.code == .nameTaken }
            try await host.remove(id)
            await #expect { try await host.create(try fixture.spec(host) { $0.image = "localhost/kiln/none:1" }) } throws: {
                ($0 as? KilnError)?.code == .imageNotFound
            }
            await #expect { try await host.pull(ImageReference("localhost/kiln/none:1")) } throws: { ($0 as? KilnError)?.code == .imageNotFound }
        }

        @Test func `Inside is a machine of its own: ids, names, interfaces, ports, ping`() async throws {
            try await fixture.with { host, id in
                func run(_ command: String...) async throws -> String {
                    let result = try await host.run(command, in: id)
                    return result.outputText + result.errorText
                }
                let map = try await run("cat", "/proc/self/uid_map").split(whereSeparator: \.isWhitespace)
                #expect(map == ["0", "\(fixture.firstID)", "65536"])
                #expect(try await run("hostname") == "hello\n")
                #expect(try await run("ls", "/sys/class/net") == "lo\n")
                #expect(try await run("sh", "-c", "touch /made /root/made && stat -c %u /made") == "0\n")
                let server = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 80)); print('bound')"
                #expect(try await run("python3", "-c", server) == "bound\n")
                let network = try await run("sh", "-c", "ip addr add 10.1.2.3/32 dev lo; ip route add unreachable 10.9.0.0/16; cat /proc/self/status")
                #expect(network.contains("not permitted") && network.contains("Seccomp:\t2"))
                let ping =
                    "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP); s.connect(('127.0.0.1', 0)); print('ping')"
                #expect(try await host.run(["python3", "-c", ping], in: id, user: .init(uid: 1000, gid: 1000)).outputText == "ping\n")
                // Masked and read-only as by default.
                let mounts = try await run("cat", "/proc/self/mounts")
                #expect(mounts.contains("proc /proc/sys proc ro,") && mounts.contains("/proc/keys"))
            }
        }

        @Test func `The file of a container's user belongs to the range on the host, and mounts are nosuid and nodev`() async throws {
            let host = try await fixture.ready()
            let home = "\(host.configuration.runtimeDirectory)/home"
            try TrustedFiles.makeDirectories(home, mode: 0o700)
            #expect(chown(home, UInt32(fixture.firstID), UInt32(fixture.firstID)) == 0)
            try await fixture.with {
                $0.mounts = [.init(source: home, destination: "/home/dev"), .init(source: home, destination: "/seen", readOnly: true)]
                $0.temporaryFileSystems = [.init(destination: "/run/quick", size: 1 << 20)]
            } _: { host, id in
                let made = try await host.run(["sh", "-c", "touch /home/dev/x && chown 1000 /home/dev/x && touch /seen/y"], in: id)
                #expect(made.status != 0 && made.errorText.contains("Read-only"))
                var status = stat()
                #expect(lstat("\(home)/x", &status) == 0 && Int(status.st_uid) == fixture.firstID + 1000)
                let mounts = try await host.run(["cat", "/proc/self/mounts"], in: id).outputText.split(separator: "\n")
                let line = try #require(mounts.first { $0.contains(" /home/dev ") })
                #expect(line.contains("nosuid") && line.contains("nodev"), "\(line)")
                #expect(mounts.contains { $0.contains(" /run/quick tmpfs ") })
                // As after a reboot.
                try await host.stop(id, timeout: 0)
                let staged = try MountTable.points(within: host.configuration.mounts)
                #expect(staged.count == 2)
                for point in staged { try MountTable.unmount(point) }
                try TrustedFiles.remove(host.configuration.mounts)
                try await host.start(id)
                let again = try await host.run(["test", "-e", "/home/dev/x"], in: id)
                #expect(again.status == 0)
            }
            #expect(try MountTable.points(within: host.configuration.mounts).isEmpty)
            try TrustedFiles.remove(home)
        }

        @Test func `Limits are enforced and shown`() async throws {
            try await fixture.with {
                $0.limits = ServiceLimits(milliCPUs: 500, memory: 64 << 20, pids: 40)
                $0.command = ["python3", "-c", "b = bytearray(20 << 20); import time; time.sleep(600)"]
            } _: { host, id in
                let usage = try host.stats(id)
                #expect(usage.milliCPULimit == 500 && usage.memoryLimit == 64 << 20 && usage.processLimit == 40)
                let clock = ContinuousClock()
                let deadline = clock.now + .seconds(10)
                while try host.stats(id).memory < 20 << 20 {
                    try #require(clock.now < deadline)
                    try await Task.sleep(for: .milliseconds(50))
                }
                let settled = try host.stats(id)
                #expect(settled.processes == 2 && settled.memory < 40 << 20 && settled.cpuNanoseconds > 0, "\(settled)")
                let hungry = try await host.run(["python3", "-c", "b = bytearray(100 << 20); print(len(b))"], in: id)
                #expect(hungry.status == 137)
                let forks =
                    "import os\nn = 0\ntry:\n  while n < 100:\n    if os.fork() == 0: import time; time.sleep(2); os._exit(0)\n    n += 1\nexcept OSError: print(n)"
                let count = try await host.run(["python3", "-c", forks], in: id).outputText
                #expect((30...40).contains(Int(count.split(whereSeparator: \.isWhitespace).first ?? "") ?? 0), "\(count)")
                let before = try host.stats(id).cpuNanoseconds
                let took = try await clock.measure {
                    _ = try await host.run(["python3", "-c", "import time\ne = time.time() + 1\nwhile time.time() < e: pass"], in: id)
                }
                let used = Double(try host.stats(id).cpuNanoseconds - before) / 1e9
                #expect(used < 0.75 * (took / .seconds(1)), "\(used) s of CPU in \(took)")
            }
        }

        @Test func `Two ranges use one image without a copy`() async throws {
            let host = try await fixture.ready()
            let clock = ContinuousClock()
            var times: [Duration] = []
            for index in 0..<2 {
                let spec = try fixture.spec(host) { $0.userRange = .init(firstID: fixture.firstID + (index + 1) * 65536) }
                times.append(
                    try await clock.measure {
                        let id = try await host.create(spec)
                        try await host.start(id)
                        #expect(try await host.run(["stat", "-c", "%u", "/etc/passwd"], in: id).outputText == "0\n")
                        try await host.remove(id)
                    })
            }
            #expect(times.allSatisfy { $0 < .seconds(3) }, "\(times)")
        }

        @Test func `What happens to containers is told`() async throws {
            let host = try await fixture.ready()
            let label = "kiln.events"
            let (stream, continuation) = AsyncStream<ContainerEvent>.makeStream()
            let watching = Task { try await host.events { continuation.yield($0) } }
            var events = stream.makeAsyncIterator()
            #expect(await events.next()?.kind == .resynchronize)
            // Nothing in the stream may be awaited for ever.
            let limit = Task {
                try await Task.sleep(for: .seconds(20))
                continuation.finish()
            }
            defer { limit.cancel() }
            let id = try await host.create(
                try fixture.spec(host) {
                    $0.labels = [label: "1"]
                    $0.command = ["sh", "-c", "exit 3"]
                })
            try await host.start(id)
            var kinds: [ContainerEvent.Kind] = []
            while let event = await events.next() {
                guard event.labels[label] == "1" else { continue }
                kinds.append(event.kind)
                if case .died = event.kind { try await host.remove(id) }
                if event.kind == .removed { break }
            }
            #expect(kinds == [.created, .started, .died(exitStatus: 3), .removed])
            watching.cancel()
            try await host.remove(id)
        }

        @Test func `A container restarts as its policy says, without an agent`() async throws {
            try await fixture.with {
                $0.command = ["sleep", "0.2"]
                $0.restart = .always
            } _: { host, id in
                let clock = ContinuousClock()
                let deadline = clock.now + .seconds(20)
                while try await host.client.inspectContainer(id).restartCount < 2 {
                    try #require(clock.now < deadline)
                    try await Task.sleep(for: .milliseconds(100))
                }
            }
        }
    }
}
