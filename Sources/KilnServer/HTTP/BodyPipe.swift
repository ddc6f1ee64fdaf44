internal import NIOCore
internal import Synchronization

/// Carries bytes from the tasks that make an answer to the one that writes it. Whoever makes them waits while too many lie here.
final class BodyPipe: Sendable {
    /// Bytes that may wait to be written.
    private static let limit = 1 << 18

    private struct State {
        var buffer = ByteBuffer()
        var ended = false
        var failure: (any Error)?
        var abandoned = false
        var reader: CheckedContinuation<Void, Never>?
        var writers: [CheckedContinuation<Void, Never>] = []

        var isReadable: Bool { buffer.readableBytes > 0 || ended || abandoned }
        var isWritable: Bool { buffer.readableBytes < BodyPipe.limit || ended || abandoned }

        /// Whoever waits to read; taken where the state changes, as one taken later may wait for what comes next.
        mutating func takeReader() -> CheckedContinuation<Void, Never>? {
            defer { reader = nil }
            return reader
        }
    }

    private let state = Mutex(State())

    /// - Throws: `CancellationError` once nobody reads any more.
    func write(_ bytes: some Sequence<UInt8> & Sendable) async throws {
        while true {
            let (written, abandoned, reader) = state.withLock { state in
                guard state.isWritable else { return (false, false, nil as CheckedContinuation<Void, Never>?) }
                if !state.ended, !state.abandoned { state.buffer.writeBytes(bytes) }
                return (true, state.abandoned, state.takeReader())
            }
            reader?.resume()
            if abandoned { throw CancellationError() }
            if written { return }
            await withCheckedContinuation { continuation in
                let now = state.withLock { state in
                    if !state.isWritable { state.writers.append(continuation) }
                    return state.isWritable
                }
                if now { continuation.resume() }
            }
        }
    }

    /// Everything that lies here, or nil after the end.
    func next() async throws -> ByteBuffer? {
        while true {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state in
                    if !state.isReadable { state.reader = continuation }
                    return state.isReadable
                }
                if now { continuation.resume() }
            }
            let (bytes, writers, failure, isOver) = state.withLock { state in
                defer {
                    state.buffer = ByteBuffer()
                    state.writers = []
                }
                return (state.abandoned ? ByteBuffer() : state.buffer, state.writers, state.failure, state.ended || state.abandoned)
            }
            for writer in writers { writer.resume() }
            if bytes.readableBytes > 0 { return bytes }
            if let failure { throw failure }
            // Only that is the end; that nothing lies here is none.
            if isOver { return nil }
        }
    }

    /// No more bytes will come; `failure` is thrown to the reader after the last of them.
    func end(_ failure: (any Error)? = nil) {
        finish { state in
            if !state.ended { state.failure = failure }
            state.ended = true
        }
    }

    /// Nobody will read any more.
    func abandon() { finish { $0.abandoned = true } }

    private func finish(_ change: (inout State) -> Void) {
        let (writers, reader) = state.withLock { state in
            change(&state)
            defer { state.writers = [] }
            return (state.writers, state.takeReader())
        }
        for writer in writers { writer.resume() }
        reader?.resume()
    }
}
