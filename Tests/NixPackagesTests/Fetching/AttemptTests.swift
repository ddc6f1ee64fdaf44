import Synchronization
import Testing

@testable import NixPackages

struct AttemptTests {
    private struct Refused: Error {}

    private final class Gate: Sendable {
        private let stream = AsyncStream<Void>.makeStream()
        let starts = Mutex(0)

        func wait() async {
            starts.withLock { $0 += 1 }
            for await _ in stream.stream {}
        }

        func open() { stream.continuation.finish() }
    }

    @Test func `Many wait for one piece of work`() async throws {
        let (attempt, gate) = (Attempt(), Gate())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { try await attempt.run { await gate.wait() } } }
            #expect(try await !attempt.run(patience: .milliseconds(50)) { await gate.wait() })
            gate.open()
            try await group.waitForAll()
        }
        #expect(gate.starts.withLock { $0 } == 1)
        #expect(try await attempt.run(patience: .seconds(60)) { await gate.wait() })
        #expect(gate.starts.withLock { $0 } == 2)
    }

    @Test func `What failed a moment ago is tried again only by who insists`() async throws {
        let attempt = Attempt(pause: .seconds(600))
        let count = Mutex(0)
        for isWanted in [false, false, true, false] {
            await #expect(throws: Refused.self) {
                try await attempt.run(evenAfterFailure: isWanted) {
                    count.withLock { $0 += 1 }
                    throw Refused()
                }
            }
        }
        await #expect(throws: Refused.self) { try await attempt.run(patience: .seconds(60)) {} }
        #expect(count.withLock { $0 } == 2)
        try await attempt.run(evenAfterFailure: true) {}
        try await attempt.run {}
    }
}
