import KilnModel
import NIOCore
import Synchronization
import Testing

@testable import WorkspaceEngine

@Suite struct `An error on the agent` {
    private let refusal = KilnError(.init("odd-code", .conflict), "It “cannot” be.\nReally.", hint: "kl try again")

    @Test func `keeps its code, message and hint`() async throws {
        let engine = RecordingEngine { [refusal] in $0.applyWorkspace = { _ in throw refusal } }
        try await WireFixture.with(engine) { [refusal] wire in
            let remote = try await wire.connected().engine
            await #expect(throws: refusal) { try await remote.apply(Sample.workspace()) }
        }
    }

    @Test func `is thrown after progress was reported`() async throws {
        let engine = RecordingEngine { [refusal] in
            $0.build = { _, _, progress in
                await progress("STEP 1")
                throw refusal
            }
        }
        try await WireFixture.with(engine) { [refusal] wire in
            let remote = try await wire.connected().engine
            let lines = Mutex<[String]>([])
            // The context never ends: the failure must arrive while it is still being sent.
            let context = ByteStream { [UInt8](repeating: 0, count: 1 << 16) }
            await #expect(throws: refusal) {
                try await remote.build(Sample.imageBuild(), context: context) { line in lines.withLock { $0.append(line) } }
            }
            #expect(lines.withLock { $0 } == ["STEP 1"])
        }
    }

    @Test func `of a session is thrown before the first frame and a failure frame after it`() async throws {
        let engine = RecordingEngine { [refusal] in
            $0.session = { request, _, _, output in
                if request.command == ["late"] { try await output(.output([1])) }
                throw refusal
            }
        }
        try await WireFixture.with(engine) { [refusal] wire in
            let remote = try await wire.connected().engine
            let frames = Mutex<[SessionFrame]>([])
            let run = { @Sendable (command: String) in
                let (input, continuation) = SessionInput.makeStream()
                defer { continuation.finish() }
                try await remote.session(SessionRequest(command: [command]), in: Sample.workspace(), input: input) { frame in
                    frames.withLock { $0.append(frame) }
                }
            }
            await #expect(throws: refusal) { try await run("early") }
            #expect(frames.withLock { $0 }.isEmpty)
            try await run("late")
            let received = frames.withLock { $0 }
            #expect(received.count == 2 && received.first == .output([1]))
            guard case .failure(let json)? = received.last else {
                Issue.record("no failure frame")
                return
            }
            #expect(try WireJSON.decode(KilnError.self, from: ByteBuffer(bytes: json)) == refusal)
        }
    }

    @Test func `that is no KilnError becomes engine-failed`() async throws {
        struct Odd: Error {}
        let engine = RecordingEngine { $0.hasImage = { _ in throw Odd() } }
        try await WireFixture.with(engine) { wire in
            let remote = try await wire.connected().engine
            let error = await #expect(throws: KilnError.self) { try await remote.hasImage(of: Sample.imageBuild()) }
            #expect(error?.code == .engineFailed)
        }
    }

    @Test func `thrown by whoever takes the output comes back as it was, and ends the work`() async throws {
        struct Full: Error {}
        let stopped = Signal()
        let engine = RecordingEngine {
            $0.logs = { _, output in
                try await output(LogLine(time: 0, channel: .output, text: "one"))
                try await sleepUntilCancelled(stopped)
            }
        }
        try await WireFixture.with(engine) { wire in
            let remote = try await wire.connected().engine
            await #expect(throws: Full.self) { try await remote.logs(LogRequest(source: .workspace(.random()))) { _ in throw Full() } }
            await stopped.wait("the agent's call goes on")
        }
    }
}

@Suite struct `The agent` {
    private func answer(_ path: String, _ message: String) async throws -> KilnError? {
        let answer = Mutex<KilnError?>(nil)
        try await WireFixture.with { wire in
            let connection = try await wire.connected().connection
            let stream = try await connection.post(path, message: ByteBuffer(string: message))
            #expect(try await stream.head().first(name: ":status") == "500")
            let body = try await stream.collect(upTo: 1 << 20)
            try answer.withLock { $0 = try WireJSON.decode(KilnError.self, from: #require(body)) }
        }
        return answer.withLock { $0 }
    }

    @Test func `refuses an unknown call`() async throws {
        #expect(try await answer("/engine/format-disk", "{}")?.code == .engineFailed)
        #expect(try await answer("/etc/passwd", "{}")?.code == .engineFailed)
    }

    @Test func `refuses values that the model would refuse`() async throws {
        #expect(try await answer("/engine/apply-workmachine", #"{"id":"../../etc","rangeIndex":0}"#)?.code == .invalidID)
        #expect(try await answer("/engine/apply-workmachine", #"{"id":"#)?.code == .invalidValue)
    }

    @Test func `refuses a message over the limit`() async throws {
        let long = String(repeating: "x", count: WireSettings.maximumMessage + 1)
        #expect(try await answer("/engine/prune", long)?.message.contains("over the limit") == true)
    }
}
