import KilnModel
import Synchronization
import Testing

@testable import WorkspaceEngine

@Suite(.serialized) struct `The connection` {
    /// An engine whose sessions echo, and whose program `flood` prints for ever.
    private static let echo = RecordingEngine {
        $0.info = { EngineInfo(runtime: "r", engine: "e", kernel: "k", cpus: 1, memory: 1) }
        $0.session = { request, _, input, output in
            if request.command == ["flood"] {
                let block = [UInt8](repeating: 0, count: 1 << 16)
                while !Task.isCancelled { try await output(.output(block)) }
            }
            for try await frame in input { if case .input(let bytes) = frame { try await output(.output(bytes)) } }
            try await output(.exit(0))
        }
        $0.build = { _, context, _ in for try await _ in context {} }
    }

    /// Round trips of one byte through a session, one after the other, and how far `others` went during each.
    private static func keystrokes(
        _ remote: RemoteEngine, _ count: Int, others: @Sendable () -> Int = { 0 }
    ) async throws -> (times: [Duration], others: [Int]) {
        let (input, keys) = SessionInput.makeStream()
        let (echoes, echoed) = AsyncStream.makeStream(of: Void.self)
        let session = Task {
            try await remote.session(SessionRequest(command: []), in: Sample.workspace(), input: input) { frame in
                if case .output = frame { echoed.yield() }
            }
        }
        var times: [Duration] = []
        var passed: [Int] = []
        var iterator = echoes.makeAsyncIterator()
        for _ in 0..<count {
            let (start, before) = (ContinuousClock.now, others())
            keys.yield(.input([65]))
            await iterator.next()
            times.append(start.duration(to: .now))
            passed.append(others() - before)
        }
        keys.finish()
        try await session.value
        return (times, passed)
    }

    private static func report(_ what: String, _ times: [Duration]) {
        print("\(what): p50 \(Int(median(times))) µs, p99 \(Int(percentile(times, 0.99))) µs, n = \(times.count)")
    }

    @Test func `answers at once while other streams are saturated both ways`() async throws {
        try await WireFixture.with(Self.echo) { wire in
            let remote = try await wire.connected().engine
            _ = try await Self.keystrokes(remote, 100)
            let calls = try await { @Sendable () async throws -> [Duration] in
                var times: [Duration] = []
                for _ in 0..<500 {
                    let start = ContinuousClock.now
                    _ = try await remote.info()
                    times.append(start.duration(to: .now))
                }
                return times
            }()
            let idle = try await Self.keystrokes(remote, 500).times

            let (down, up) = (Counter(), Counter())
            let start = ContinuousClock.now
            let flood = Task {
                let (input, keys) = SessionInput.makeStream()
                defer { keys.finish() }
                try await remote.session(SessionRequest(command: ["flood"]), in: Sample.workspace(), input: input) { frame in
                    if case .output(let bytes) = frame { down.add(bytes.count) }
                }
            }
            let upload = Task {
                let block = [UInt8](repeating: 0, count: 1 << 16)
                try await remote.build(
                    Sample.imageBuild(),
                    context: ByteStream {
                        up.add(block.count)
                        return Task.isCancelled ? nil : block
                    }, progress: { _ in })
            }
            while down.value < 1 << 20 || up.value < 1 << 20 { try await Task.sleep(for: .milliseconds(10)) }
            let busy = try await Self.keystrokes(remote, 200) { down.value + up.value }
            let seconds = start.duration(to: .now) / .seconds(1)
            flood.cancel()
            upload.cancel()
            _ = await (flood.result, upload.result)

            Self.report("a trivial call", calls)
            Self.report("a keystroke and its echo, idle", idle)
            Self.report("a keystroke and its echo, both ways saturated", busy.times)
            let queued = busy.others.sorted()[busy.others.count / 2]
            let rates = [down, up].map { Int(Double($0.value) / seconds / 1e6) }
            print("meanwhile \(rates[0]) MB/s down, \(rates[1]) MB/s up, \(queued) bytes a keystroke")
            #expect(down.value > 8 << 20 && up.value > 8 << 20, "the streams were not saturated")
            // In bytes, for time depends on who else uses this machine: while a key goes there and back, the others carry about as much as
            // the sockets' buffers hold.
            #expect(queued < 4 << 20)
        }
    }

    /// Watches a counter until it stands still.
    private static func whenStill(_ counter: @Sendable () -> Int) async throws -> Int {
        var last = -1
        while counter() != last || last == 0 {
            last = counter()
            try await Task.sleep(for: .milliseconds(400))
        }
        return last
    }

    @Test func `stops a writer whose reader is slow, in both directions, and goes on later`() async throws {
        let (uploaded, printed, delivered) = (Counter(), Counter(), Counter())
        let release = Gate()
        let engine = RecordingEngine {
            $0.build = { _, context, _ in
                await release.wait()
                for try await _ in context {}
            }
            $0.session = { _, _, _, output in
                let block = [UInt8](repeating: 0, count: 1 << 16)
                for _ in 0..<1000 {
                    try await output(.output(block))
                    printed.add(block.count)
                }
                try await output(.exit(0))
            }
        }
        try await WireFixture.with(engine) { wire in
            let remote = try await wire.connected().engine
            let upload = Task {
                let block = [UInt8](repeating: 0, count: 1 << 16)
                try await remote.build(
                    Sample.imageBuild(),
                    context: ByteStream {
                        guard uploaded.value < 64_000_000 else { return nil }
                        uploaded.add(block.count)
                        return block
                    }, progress: { _ in })
            }
            let session = Task {
                let (input, keys) = SessionInput.makeStream()
                defer { keys.finish() }
                try await remote.session(SessionRequest(command: []), in: Sample.workspace(), input: input) { frame in
                    await release.wait()
                    if case .output(let bytes) = frame { delivered.add(bytes.count) }
                }
            }
            // What lies between: the window, once in the stream and once in its reader, and the socket's buffers.
            let most = 4 << 20
            #expect(try await Self.whenStill { uploaded.value } < most)
            #expect(try await Self.whenStill { printed.value } < most)
            await release.open()
            try await upload.value
            try await session.value
            #expect(uploaded.value >= 64_000_000 && delivered.value == 1000 << 16)
        }
    }

    @Test func `outlives a thousand streams that are reset at once`() async throws {
        let begun = Counter()
        let engine = RecordingEngine {
            $0.info = { EngineInfo(runtime: "r", engine: "e", kernel: "k", cpus: 1, memory: 1) }
            $0.logs = { _, output in
                begun.add(1)
                while true { try await output(LogLine(time: 0, channel: .output, text: "tick")) }
            }
        }
        try await WireFixture.with(engine) { wire in
            let remote = try await wire.connected().engine
            let followers = (0..<1000).map { _ in
                Task { try await remote.logs(LogRequest(source: .workspace(.random()), follow: true)) { _ in } }
            }
            while begun.value < 1000 { try await Task.sleep(for: .milliseconds(10)) }
            for follower in followers { follower.cancel() }
            for follower in followers { await #expect(throws: CancellationError.self) { try await follower.value } }
            #expect(try await remote.info().cpus == 1)
        }
    }
}

final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add(_ more: Int) { count.withLock { $0 += more } }
}

/// Everybody waits until it is opened.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func wait() async {
        guard !isOpen else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}
