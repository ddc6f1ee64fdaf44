import Foundation
import KilnModel
import NIOCore
import Synchronization
import Testing

@testable import WorkspaceEngine

@Suite struct `Cancelling a call` {
    @Test func `cancels the work on the agent`() async throws {
        let (begun, stopped) = (Signal(), Signal())
        let work: @Sendable () async throws -> Void = {
            begun.fire()
            try await sleepUntilCancelled(stopped)
        }
        let engine = RecordingEngine {
            $0.applyWorkspace = { _ in
                try await work()
                return WorkspaceObservation(state: .running)
            }
            $0.build = { _, _, _ in try await work() }
            $0.session = { _, _, _, output in
                try await output(.output([1]))
                try await work()
            }
            $0.logs = { _, _ in try await work() }
            $0.observations = { _ in try await work() }
        }
        try await WireFixture.with(engine) { wire in
            let remote = try await wire.connected().engine
            let calls: [(String, @Sendable () async throws -> Void)] = [
                ("apply", { _ = try await remote.apply(Sample.workspace()) }),
                ("build", { try await remote.build(Sample.imageBuild(), context: ByteStream { [0] }) { _ in } }),
                (
                    "session",
                    {
                        let (input, continuation) = SessionInput.makeStream()
                        defer { continuation.finish() }
                        try await remote.session(SessionRequest(command: []), in: Sample.workspace(), input: input) { _ in }
                    }
                ),
                ("logs", { try await remote.logs(LogRequest(source: .workspace(.random()))) { _ in } }),
                ("observations", { try await remote.observations { _ in } }),
            ]
            for (name, call) in calls {
                let task = Task { try await call() }
                await begun.wait("\(name) did not reach the agent")
                task.cancel()
                await stopped.wait("\(name) was not cancelled on the agent")
                await #expect(throws: CancellationError.self, "\(name)") { try await task.value }
            }
        }
    }
}

@Suite struct `A lost connection` {
    @Test func `fails every call with engine-unavailable, and the next connection works`() async throws {
        let (begun, stopped) = (Signal(), Signal())
        let engine = RecordingEngine {
            $0.info = { EngineInfo(runtime: "r", engine: "e", kernel: "k", cpus: 1, memory: 1) }
            $0.applyWorkspace = { _ in
                begun.fire()
                try await sleepUntilCancelled(stopped)
                return WorkspaceObservation(state: .running)
            }
            $0.session = { _, _, _, output in
                try await output(.output([1]))
                begun.fire()
                try await sleepUntilCancelled(stopped)
            }
        }
        try await WireFixture.with(engine) { wire in
            let connection = try await wire.connected()
            let remote = connection.engine
            let apply = Task { _ = try await remote.apply(Sample.workspace()) }
            await begun.wait("apply did not begin")
            let session = Task {
                let (input, continuation) = SessionInput.makeStream()
                defer { continuation.finish() }
                try await remote.session(SessionRequest(command: []), in: Sample.workspace(), input: input) { _ in }
            }
            await begun.wait("the session did not begin")
            connection.close()
            for call in [apply, session] {
                let error = await #expect(throws: KilnError.self) { try await call.value }
                #expect(error?.code == .engineUnavailable)
            }
            let late = await #expect(throws: KilnError.self) { try await remote.info() }
            #expect(late?.code == .engineUnavailable)
            await stopped.wait("the agent's call goes on")
            await stopped.wait("the agent's call goes on")
            await connection.closed()
            #expect(try await wire.connected().engine.info().cpus == 1)
        }
    }

    @Test func `is noticed when the peer stops answering pings`() async throws {
        let engine = RecordingEngine { $0.info = { EngineInfo(runtime: "r", engine: "e", kernel: "k", cpus: 1, memory: 1) } }
        let interval = TimeAmount.milliseconds(300)
        try await WireFixture.with(engine, pingInterval: interval) { wire in
            let connection = try await wire.connected()
            try await Task.sleep(for: .seconds(2))
            #expect(try await connection.engine.info().cpus == 1, "a live peer was given up")
        }
        try await WireFixture.with(dialing: false, pingInterval: interval) { wire in
            let silent = try await ClientSocket.connect(wire.socketPath)
            let connection = try await wire.connected()
            let noticed = Signal()
            let waiting = Task {
                await connection.closed()
                noticed.fire()
            }
            await noticed.wait("the silent peer went unnoticed", within: 10)
            waiting.cancel()
            silent.close()
        }
    }

    @Test func `is replaced when another agent connects`() async throws {
        let engine = RecordingEngine { $0.info = { EngineInfo(runtime: "first", engine: "e", kernel: "k", cpus: 1, memory: 1) } }
        try await WireFixture.with(engine) { wire in
            let first = try await wire.connected()
            let channel = try await ClientSocket.connect(wire.socketPath)
            await first.closed()
            let error = await #expect(throws: KilnError.self) { try await first.engine.info() }
            #expect(error?.code == .engineUnavailable)
            channel.close()
        }
    }
}

@Suite struct `The agent's socket` {
    @Test func `belongs to kilnd alone and replaces a stale one`() async throws {
        let directory = try WireFixture.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for _ in 0..<2 {  // The second time over what the first left when it was killed.
            let listener = AgentListener(socketPath: WireFixture.socketPath(in: directory), logger: WireFixture.logger("kilnd"))
            let run = Task { try await listener.run() }
            let channel = try await ClientSocket.connect(WireFixture.socketPath(in: directory), patience: 200)
            channel.close()
            var status = stat()
            #expect(lstat(directory + "/agent", &status) == 0 && status.st_mode & 0o7777 == 0o700)
            #expect(lstat(directory + "/agent/agent.sock", &status) == 0 && status.st_mode & 0o7777 == 0o600)
            run.cancel()
            try await run.value
            #expect(lstat(directory + "/agent/agent.sock", &status) != 0)
            #expect(mknod(directory + "/agent/agent.sock", S_IFSOCK | 0o600, 0) == 0)
        }
    }

    @Test func `refuses a user that is not the agent's`() async throws {
        try await WireFixture.with(dialing: false) { wire in
            // Only for the test: let the stranger come as far as the check.
            #expect(chmod(wire.directory, 0o755) == 0)
            for _ in 0..<200 where access(wire.socketPath, F_OK) != 0 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(chmod(wire.directory + "/agent", 0o755) == 0 && chmod(wire.socketPath, 0o666) == 0)
            let script = """
                import socket, sys
                s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1])
                print(len(s.recv(100)))
                """
            let stranger = try await runAs(65534, ["/usr/bin/python3", "-c", script, wire.socketPath])
            #expect(stranger == "0\n", "the stranger was let in: \(stranger)")
            // Positive control: root's own connection is greeted with HTTP/2.
            let root = try await runAs(0, ["/usr/bin/python3", "-c", script, wire.socketPath])
            #expect(root != "0\n")
        }
    }

    @Test func `is not served by an agent when another user listens there`() async throws {
        let directory = try WireFixture.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        #expect(mkdir(directory + "/agent", 0o777) == 0 && chmod(directory, 0o755) == 0 && chmod(directory + "/agent", 0o777) == 0)
        let script = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); s.settimeout(10)
            c, _ = s.accept(); c.settimeout(5); print(len(c.recv(100)))
            """
        for (user, served) in [(65534, false), (0, true)] as [(UInt32, Bool)] {
            let path = WireFixture.socketPath(in: directory)
            unlink(path)
            let agent = Task { await WireFixture.dialer(directory, RecordingEngine(), WorkspaceForwarder(logger: WireFixture.logger("f"))).run() }
            let heard = try await runAs(user, ["/usr/bin/python3", "-c", script, path])
            agent.cancel()
            await agent.value
            #expect((heard != "0\n") == served, "user \(user) heard \(heard) bytes")
        }
    }
}
