import Glibc
import KilnModel
import Testing

@testable import LinuxEngine

extension ContainerTests {
    @Suite(.timeLimit(.minutes(2)))
    struct EndTests {
        let fixture = ContainerFixture.shared

        /// One that saves its work, one that will not end, one in a terminal that hears the hang-up only.
        private static let programs = #"""
            import os, pty, signal, time
            def start(body):
                ready, done = os.pipe()
                if os.fork() == 0:
                    body(lambda: os.write(done, b"x"))
                    while True: signal.pause()
                os.read(ready, 1)
            def saves(say):
                def save(*_):
                    open("/saved", "w").write("saved")
                    os._exit(0)
                signal.signal(signal.SIGTERM, save)
                say()
            def stays(say):
                for one in (signal.SIGTERM, signal.SIGHUP): signal.signal(one, signal.SIG_IGN)
                say()
            def in_terminal(say):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                os.setsid()
                leader, follower = os.openpty()
                import fcntl, termios
                fcntl.ioctl(follower, termios.TIOCSCTTY, 0)
                say()
            for body in (saves, stays, in_terminal): start(body)
            """#

        @Test func `Programs are asked to end, may save their work, and those that will not are counted`() async throws {
            try await fixture.with {
                // Process 1 as in a workspace: nobody's child, and it stays.
                $0.hasInit = false
                $0.command = ["python3", "-c", "import signal; signal.pause()"]
            } _: { host, id in
                #expect(try await host.run(["python3", "-c", Self.programs], in: id).status == 0)
                let container = try #require(try await host.inspect(id))
                #expect(try await host.endPrograms(of: container, grace: .milliseconds(1500)) == 1)
                #expect(try await host.run(["cat", "/saved"], in: id).outputText == "saved")
                // Process 1 has heard nothing.
                #expect(try await host.inspect(id)?.isRunning == true)
            }
        }

        @Test func `Nothing to end takes no time to find out`() async throws {
            try await fixture.with { host, id in
                let container = try #require(try await host.inspect(id))
                #expect(try await host.endPrograms(of: container, grace: .seconds(60)) == 0)
            }
        }
    }
}
