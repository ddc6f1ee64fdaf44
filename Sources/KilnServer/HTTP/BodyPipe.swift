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
    }

    private let state = Mutex(State())

    /// - Throws: `CancellationError` once nobody reads any more.
    func write(_ bytes: some Sequence<UInt8> & Sendable) async throws {
        while true {
            let written = state.withLock { state in
                guard state.isWritable else { return false }
                if !state.ended, !state.abandoned { state.buffer.writeBytes(bytes) }
                return true
            }
            if written { break }
            await withCheckedContinuation { continuation in
                let now = state.withLock { state in
                    if !state.isWritable { state.writers.append(continuation) }
                    return state.isWritable
                }
                if now { continuation.resume() }
            }
        }
        wakeReader()
        if state.withLock({ $0.abandoned }) { throw CancellationError() }
    }

    /// Everything that lies here, or nil after the end.
    func next() async throws -> ByteBuffer? {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state in
                if !state.isReadable { state.reader = continuation }
                return state.isReadable
            }
            if now { continuation.resume() }
        }
        let (bytes, writers, failure) = state.withLock { state in
            defer {
                state.buffer = ByteBuffer()
                state.writers = []
            }
            return (state.abandoned ? ByteBuffer() : state.buffer, state.writers, state.failure)
        }
        for writer in writers { writer.resume() }
        if bytes.readableBytes > 0 { return bytes }
        if let failure { throw failure }
        return nil
    }

    /// No more bytes will come; `failure` is thrown to the reader after the last of them.
    func end(_ failure: (any Error)? = nil) {
        let writers = state.withLock { state in
            if !state.ended { state.failure = failure }
            state.ended = true
            defer { state.writers = [] }
            return state.writers
        }
        for writer in writers { writer.resume() }
        wakeReader()
    }

    /// Nobody will read any more.
    func abandon() {
        let writers = state.withLock { state in
            state.abandoned = true
            defer { state.writers = [] }
            return state.writers
        }
        for writer in writers { writer.resume() }
        wakeReader()
    }

    private func wakeReader() {
        state.withLock { state in
            defer { state.reader = nil }
            return state.reader
        }?.resume()
    }
}
