import CommandRunner
import FileWork
import FoundationEssentials
import Glibc
import KilnModel
import Testing
import WorkspaceEngine

@testable import LinuxEngine

extension ContainerTests {
    @Suite(.timeLimit(.minutes(3)))
    struct SessionTests {
        let fixture = ContainerFixture.shared

        @Test func `Output, errors, environment, user and exit status come through`() async throws {
            try await fixture.with { host, id in
                let client = Client()
                let command = ["sh", "-c", "echo out; echo err >&2; echo $KEY; id -u; id -G; pwd; exit 7"]
                try await client.run(
                    command, on: host, in: id, user: .init(uid: 1000, gid: 1000, groups: [27]),
                    variables: [EnvironmentVariable(key: "KEY", value: "a b")])
                #expect(await client.text == "out\na b\n1000\n1000 27\n/tmp\n")
                #expect(await client.errorText == "err\n")
                #expect(await client.exit == 7)
                let large = Client()
                try await large.run(["sh", "-c", "exit 255"], on: host, in: id)
                #expect(await large.exit == 255)
            }
        }

        @Test func `Input reaches the program and its end is told`() async throws {
            try await fixture.with { host, id in
                let client = Client()
                client.send("hello ")
                client.send("world")
                client.sender.yield(.inputEnd)
                try await client.run(["sh", "-c", "cat; echo; cat; echo done"], on: host, in: id)
                #expect(await client.text == "hello world\ndone\n")
                // A program that does not read leaves the writer no trouble.
                let deaf = Client()
                for _ in 0..<20 { deaf.sender.yield(.input([UInt8](repeating: 65, count: 1 << 16))) }
                try await deaf.run(["true"], on: host, in: id)
                #expect(await deaf.exit == 0)
            }
        }

        @Test(arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129), (SIGUSR1, 138), (SIGQUIT, 131), (SIGKILL, 137)])
        func `A signal ends the program`(_ signal: Int32, _ status: Int) async throws {
            try await fixture.with { host, id in
                let client = Client()
                async let session: Void = client.run(["sh", "-c", "echo ready; exec sleep 60"], on: host, in: id)
                await client.printed("ready")
                // The shell has yet to become sleep, and a shell of its own ignores nothing.
                client.sender.yield(.signal(UInt8(signal)))
                try await session
                #expect(await client.exit == status)
                #expect(try await host.run(["pgrep", "-x", "sleep", "-a"], in: id).outputText.contains("sleep 60") == false)
            }
        }

        @Test func `A program can handle a signal`() async throws {
            try await fixture.with { host, id in
                let client = Client()
                async let session: Void = client.run(
                    ["sh", "-c", "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.1; done"], on: host, in: id)
                await client.printed("ready")
                client.sender.yield(.signal(UInt8(SIGINT)))
                try await session
                #expect(await client.exit == 5)
                #expect(await client.text == "ready\ncaught\n")
            }
        }

        @Test func `A process left in the background outlives the session and does not hold it`() async throws {
            try await fixture.with { host, id in
                let client = Client()
                let clock = ContinuousClock()
                let took = try await clock.measure {
                    try await client.run(["sh", "-c", "(sleep 5; touch /tmp/late) & echo started; exit 4"], on: host, in: id)
                }
                #expect(await client.text == "started\n")
                #expect(await client.exit == 4)
                #expect(took < .seconds(2), "\(took)")
                #expect(try await host.run(["pgrep", "-x", "sleep", "-a"], in: id).outputText.contains("sleep 5"))
            }
        }

        @Test func `A command that is not there is told apart from one that fails`() async throws {
            try await fixture.with { host, id in
                for (command, status) in [("no-such-command", 127), ("/etc/passwd", 126)] {
                    let client = Client()
                    try await client.run([command], on: host, in: id)
                    #expect(await client.exit == status)
                    #expect(await client.errorText.contains(command))
                }
                let probe = try await host.run(["no-such-command"], in: id)
                #expect(probe.status == 127 && probe.errorText.contains("command not found"))
                let terminal = Client()
                try await terminal.run(["no-such-command"], on: host, in: id, terminal: .init(columns: 80, rows: 24))
                #expect(await terminal.exit == 127)
                #expect(await terminal.text.contains("not found"))
                try await host.stop(id, timeout: 0)
                await #expect { try await Client().run(["true"], on: host, in: id) } throws: { ($0 as? KilnError)?.code == .wrongPhase }
            }
        }

        @Test func `When the client goes, the program is hung up`() async throws {
            try await fixture.with { host, id in
                let client = Client()
                let session = Task { try await client.run(["sh", "-c", "echo ready; exec sleep 77"], on: host, in: id) }
                await client.printed("ready")
                client.sender.finish()
                await #expect(throws: CancellationError.self) { try await session.value }
                let found = try await host.run(["pgrep", "-f", "^sleep 77"], in: id).status
                #expect(found == 1)
                let cancelled = Client()
                let other = Task { try await cancelled.run(["sh", "-c", "echo ready; exec sleep 78"], on: host, in: id) }
                await cancelled.printed("ready")
                other.cancel()
                await #expect(throws: CancellationError.self) { try await other.value }
                let found2 = try await host.run(["pgrep", "-f", "^sleep 78"], in: id).status
                #expect(found2 == 1)
            }
        }

        @Test func `A probe that takes too long is killed`() async throws {
            try await fixture.with { host, id in
                await #expect { try await host.run(["sleep", "79"], in: id, timeout: .milliseconds(300)) } throws: {
                    ($0 as? KilnError)?.code == .timedOut
                }
                let found3 = try await host.run(["pgrep", "-f", "^sleep 79"], in: id).status
                #expect(found3 == 1)
            }
        }

        @Test func `A gigabyte passes each way without growing the agent`() async throws {
            try await fixture.with { host, id in
                let before = try residentBytes()
                let down = Client()
                try await down.run(["head", "-c", "1073741824", "/dev/zero"], on: host, in: id)
                #expect(await down.count == 1 << 30)
                let up = Client()
                let request = SessionRequest(command: ["sh", "-c", "head -c 1073741824 | wc -c"])
                let pieces = Pieces(count: 1024, size: 1 << 20)
                try await host.session(
                    request, container: id, user: .root, workingDirectory: "/", environment: [],
                    input: SessionInput(unfolding: { await pieces.next() }),
                    output: { await up.take($0) })
                #expect(await up.text == "1073741824\n")
                let growth = try residentBytes() - before
                #expect(growth < 64 << 20, "grew by \(growth >> 20) MiB")
            }
        }

        private func residentBytes() throws -> Int {
            let fields = try TrustedFiles.text(of: "/proc/self/statm").split(separator: " ")
            return try #require(Int(fields[1])) * 4096
        }
    }

    /// Input made on demand; the stream stays open after it, as a client's does.
    private actor Pieces {
        private var left: Int
        private let bytes: [UInt8]

        init(count: Int, size: Int) {
            left = count
            bytes = [UInt8](repeating: 7, count: size)
        }

        func next() async -> SessionFrame? {
            guard left > 0 else {
                try? await Task.sleep(for: .seconds(600))
                return nil
            }
            left -= 1
            return .input(bytes)
        }
    }
}
