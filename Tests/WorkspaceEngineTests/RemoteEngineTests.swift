import KilnModel
import Synchronization
import Testing

@testable import WorkspaceEngine

@Suite struct `A remote engine` {
    @Test func `carries every plain verb and its answer`() async throws {
        let info = EngineInfo(runtime: "crun 1.8.1", engine: "podman 4.3.1", kernel: "6.18", cpus: 2, memory: 1 << 33)
        let (workspace, environment, build) = try (Sample.workspace(), Sample.environment(), Sample.imageBuild())
        let observation = WorkspaceObservation(
            state: .running, connected: nil, connectionFailure: KilnError(.probeFailed, "postgres did not answer.", hint: "kl env status"))
        let services = EnvironmentObservation(services: [
            ServiceStatus(name: try Name("api"), phase: .healthy, address: AddressPlan.virtual(2), ports: [.init(8080)], restarts: 1)
        ])
        let usage = WorkspaceUsage(cpuNanoseconds: 1, memory: 2, processes: 3, limits: workspace.limits, memoryKills: 6, diskFree: 4, diskSize: 5)
        let engine = RecordingEngine {
            $0.info = { info }
            $0.applyWorkspace = { target in
                #expect(target == workspace)
                return observation
            }
            $0.applyEnvironment = { target in
                #expect(target == environment)
                return services
            }
            $0.hasImage = { $0 == build }
            $0.usage = { _ in usage }
        }
        try await WireFixture.with(engine) { wire in
            let remote = try await wire.connected().engine
            #expect(try await remote.info() == info)
            try await remote.prune(keeping: Inventory(workmachines: [], workspaces: [workspace.id], environments: []))
            try await remote.apply(Sample.workmachine)
            try await remote.remove(Sample.workmachine)
            #expect(try await remote.apply(workspace) == observation)
            try await remote.remove(workspace)
            #expect(try await remote.apply(environment) == services)
            try await remote.remove(environment, volumes: true)
            try await remote.remove(environment, volumes: false)
            #expect(try await remote.hasImage(of: build))
            #expect(try await remote.usage(of: workspace) == usage)
            #expect(
                engine.calls == [
                    "info", "prune [\"\(workspace.id)\"]", "apply workmachine \(Sample.workmachine.id) 3",
                    "remove workmachine \(Sample.workmachine.id) 3",
                    "apply workspace \(workspace.id)", "remove workspace \(workspace.id)", "apply environment \(environment.id)",
                    "remove environment \(environment.id) true", "remove environment \(environment.id) false", "has image \(build.context)",
                    "usage \(workspace.id)",
                ])
        }
    }

    @Test func `sends a build's context and brings its progress`() async throws {
        let context = (0..<200).map { [UInt8](repeating: UInt8($0), count: 10_000) }
        let received = Mutex<[UInt8]>([])
        let engine = RecordingEngine {
            $0.build = { _, context, progress in
                await progress("STEP 1")
                for try await bytes in context { received.withLock { $0 += bytes } }
                await progress("STEP 2: “done”\nwith a line feed")
            }
        }
        try await WireFixture.with(engine) { wire in
            let lines = Mutex<[String]>([])
            let (stream, continuation) = ByteStream.makeStream()
            for piece in context { continuation.yield(piece) }
            continuation.finish()
            try await wire.connected().engine.build(Sample.imageBuild(), context: stream) { line in lines.withLock { $0.append(line) } }
            #expect(lines.withLock { $0 } == ["STEP 1", "STEP 2: “done”\nwith a line feed"])
            #expect(received.withLock { $0 } == context.flatMap { $0 })
        }
    }

    @Test func `carries a session's frames both ways and ends with the exit`() async throws {
        let (sample, big) = (try Sample.workspace(), [UInt8](repeating: 7, count: 300_000))
        let engine = RecordingEngine {
            $0.session = { request, workspace, input, output in
                #expect(request == SessionRequest(command: ["cat", "-"], terminal: .init(columns: 80, rows: 24)))
                #expect(workspace == sample)
                for try await frame in input {
                    switch frame {
                    case .input(let bytes): try await output(.output(bytes))
                    case .resize(let size): try await output(.errorOutput([UInt8(size.columns), UInt8(size.rows)]))
                    case .signal(let number): try await output(.errorOutput([number]))
                    default: break
                    }
                }
                try await output(.exit(7))
            }
        }
        try await WireFixture.with(engine) { wire in
            let frames = Mutex<[SessionFrame]>([])
            let (input, continuation) = SessionInput.makeStream()
            for frame in [.input([1, 2]), .input(big), .resize(.init(columns: 100, rows: 30)), .signal(15), .inputEnd] as [SessionFrame] {
                continuation.yield(frame)
            }
            continuation.finish()
            let request = SessionRequest(command: ["cat", "-"], terminal: .init(columns: 80, rows: 24))
            try await wire.connected().engine.session(request, in: sample, input: input) { frame in frames.withLock { $0.append(frame) } }
            #expect(frames.withLock { $0 } == [.output([1, 2]), .output(big), .errorOutput([100, 30]), .errorOutput([15]), .exit(7)])
        }
    }

    @Test func `carries a session in a service`() async throws {
        let place = ServiceReference(environment: .random(), name: try Name("db"))
        let engine = RecordingEngine {
            $0.serviceSession = { request, service, input, output in
                #expect(service == place)
                for try await case .input(let bytes) in input { try await output(.output(bytes)) }
                try await output(.exit(UInt8(request.command.count)))
            }
        }
        try await WireFixture.with(engine) { wire in
            let frames = Mutex<[SessionFrame]>([])
            let (input, continuation) = SessionInput.makeStream()
            continuation.yield(.input([1, 2]))
            continuation.finish()
            try await wire.connected().engine.session(SessionRequest(command: ["cat", "-"]), in: place, input: input) { frame in
                frames.withLock { $0.append(frame) }
            }
            #expect(frames.withLock { $0 } == [.output([1, 2]), .exit(2)])
        }
    }

    @Test func `ends a session whose program exits while its input is still open`() async throws {
        let engine = RecordingEngine { $0.session = { _, _, _, output in try await output(.exit(3)) } }
        try await WireFixture.with(engine) { wire in
            let frames = Mutex<[SessionFrame]>([])
            let (input, continuation) = SessionInput.makeStream()
            try await wire.connected().engine.session(SessionRequest(command: []), in: Sample.workspace(), input: input) { frame in
                frames.withLock { $0.append(frame) }
            }
            #expect(frames.withLock { $0 } == [.exit(3)])
            continuation.finish()
        }
    }

    @Test func `delivers the exit of an engine that stops reading its input with a cancelled task`() async throws {
        let engine = RecordingEngine {
            $0.session = { _, _, input, output in
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { do { for try await _ in input {} } catch {} }
                    await Task.yield()
                    group.cancelAll()
                }
                try await output(.exit(0))
            }
        }
        try await WireFixture.with(engine) { wire in
            let remote = try await wire.connected().engine
            for _ in 0..<20 {
                let frames = Mutex<[SessionFrame]>([])
                let (input, continuation) = SessionInput.makeStream()
                try await remote.session(SessionRequest(command: []), in: Sample.workspace(), input: input) { frame in
                    frames.withLock { $0.append(frame) }
                }
                #expect(frames.withLock { $0 } == [.exit(0)])
                continuation.finish()
            }
        }
    }

    @Test func `brings logs and observations`() async throws {
        let line = LogLine(service: try Name("api"), time: 1.5, channel: .error, text: "oh \u{1b}[31mno")
        let reference = ResourceReference(kind: .environment, id: .random())
        let engine = RecordingEngine {
            $0.logs = { request, output in for _ in 0..<(request.tail ?? 0) { try await output(line) } }
            $0.observations = { changed in for _ in 0..<3 { await changed(reference) } }
        }
        try await WireFixture.with(engine) { wire in
            let remote = try await wire.connected().engine
            let lines = Mutex<[LogLine]>([])
            try await remote.logs(LogRequest(source: .service(environment: .random(), name: Name("api")), follow: true, tail: 500)) { line in
                lines.withLock { $0.append(line) }
            }
            #expect(lines.withLock { $0 } == Array(repeating: line, count: 500))
            let references = Mutex<[ResourceReference]>([])
            try await remote.observations { reference in references.withLock { $0.append(reference) } }
            #expect(references.withLock { $0 } == [reference, reference, reference])
        }
    }
}
