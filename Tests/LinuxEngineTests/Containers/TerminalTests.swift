import FoundationEssentials
import Glibc
import KilnModel
import Testing

@testable import LinuxEngine

extension ContainerTests {
    @Suite(.timeLimit(.minutes(3)))
    struct TerminalTests {
        let fixture = ContainerFixture.shared

        @Test func `A program sees its terminal's size from the first moment`() async throws {
            try await fixture.with { host, id in
                for _ in 0..<20 {
                    let client = Client()
                    try await client.run(["sh", "-c", "stty size; tty; exit 7"], on: host, in: id, terminal: .init(columns: 111, rows: 33))
                    let text = await client.text
                    #expect(text.hasPrefix("33 111\r\n/dev/pts/"), "\(text)")
                    #expect(await client.exit == 7)
                }
            }
        }

        @Test func `Keys, resizing and interrupts work, and Control-D ends the shell`() async throws {
            try await fixture.with { host, id in
                let client = Client()
                async let session: Void = client.run(
                    ["bash", "--norc"], on: host, in: id, terminal: .init(columns: 80, rows: 24),
                    variables: [EnvironmentVariable(key: "PS1", value: "> ")])
                await client.printed("> ")
                client.send("echo $((20 + 22))\n")
                await client.printed("\r\n42\r\n")
                client.sender.yield(.resize(.init(columns: 120, rows: 50)))
                client.send("stty size\n")
                await client.printed("50 120")
                // Only what runs in the foreground gets the interrupt.
                client.send("sh -c 'echo star''ted; exec sleep 66'\n")
                await client.printed("started")
                client.send("\u{3}")
                await client.printed("^C")
                client.send("jobs; echo 'still 'here\n")
                await client.printed("still here")
                client.sender.yield(.inputEnd)
                try await session
                // That of the interrupted job, as Control-D leaves it, or of the last command.
                let exit = await client.exit
                #expect(exit == 0)
            }
        }

        @Test func `When the line is lost the shell and its jobs are hung up`() async throws {
            try await fixture.with { host, id in
                let client = Client()
                let session = Task { try await client.run(["bash", "--norc"], on: host, in: id, terminal: .init(columns: 80, rows: 24)) }
                client.send("sh -c 'echo star''ted; exec sleep 67'\n")
                await client.printed("started")
                client.sender.finish()
                await #expect(throws: CancellationError.self) { try await session.value }
                // The shell has ended; its job ends of the same signal a moment later.
                let clock = ContinuousClock()
                let deadline = clock.now + .seconds(2)
                while case let found = try await host.run(["pgrep", "-a", "-f", "^sleep 67|^bash"], in: id), found.status == 0 {
                    try #require(clock.now < deadline, "\(found.outputText)")
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
        }

        @Test func `A process left in the background does not hold a terminal's session`() async throws {
            try await fixture.with { host, id in
                let client = Client()
                let clock = ContinuousClock()
                let took = try await clock.measure {
                    try await client.run(["sh", "-c", "nohup sleep 68 & echo last words"], on: host, in: id, terminal: .init(columns: 80, rows: 24))
                }
                #expect(await client.text.contains("last words\r\n"))
                #expect(took < .seconds(2))
            }
        }
    }
}
