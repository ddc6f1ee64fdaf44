import NIOCore
import Testing

@testable import KilnServer

@Suite(.timeLimit(.minutes(1))) struct BodyPipeTests {
    @Test func `what is written fast and read fast arrives whole`() async throws {
        let pipe = BodyPipe()
        let (writers, writes) = (4, 50_000)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<writers { group.addTask { for _ in 0..<writes { try await pipe.write([1, 2, 3]) } } }
            group.addTask {
                var count = 0
                while let bytes = try await pipe.next() {
                    count += bytes.readableBytes
                    if count == 3 * writers * writes { pipe.end() }
                }
                #expect(count == 3 * writers * writes)
            }
            try await group.waitForAll()
        }
    }

    @Test func `a failure comes after the last bytes, and no reader means no writer`() async throws {
        let pipe = BodyPipe()
        try await pipe.write([1])
        pipe.end(ChannelError.eof)
        #expect(try await pipe.next() == ByteBuffer(bytes: [1]))
        await #expect(throws: ChannelError.eof) { try await pipe.next() }
        let other = BodyPipe()
        other.abandon()
        await #expect(throws: CancellationError.self) { try await other.write([1]) }
        #expect(try await other.next() == nil)
    }
}
