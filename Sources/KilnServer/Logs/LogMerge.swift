internal import KilnModel

/// Brings the lines of several logs into the order of their times. Whoever gives a line waits until it was taken, so nothing piles up.
actor LogMerge {
    private struct Head {
        let line: LogLine
        let taken: CheckedContinuation<Void, any Error>
    }

    private var heads: [Int: Head] = [:]
    private var open: Set<Int>
    private var taker: CheckedContinuation<Void, Never>?

    /// - Parameter sources: how many logs there are; they are called 0, 1 and so on.
    init(sources: Int) { open = Set(0..<sources) }

    /// Returns once the line was taken.
    /// - Throws: `CancellationError`.
    func give(_ line: LogLine, from source: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                heads[source] = Head(line: line, taken: continuation)
                wake()
            }
        } onCancel: {
            Task { await self.withdraw(source) }
        }
    }

    /// A log has no more lines.
    func close(_ source: Int) {
        open.remove(source)
        wake()
    }

    /// The earliest line; nil when all logs are closed.
    func next() async -> LogLine? {
        // Which is the earliest can be said only when the next one of each is known.
        while heads.count < open.count { await withCheckedContinuation { taker = $0 } }
        guard let (source, head) = heads.min(by: { ($0.value.line.time, $0.key) < ($1.value.line.time, $1.key) }) else { return nil }
        heads[source] = nil
        head.taken.resume()
        return head.line
    }

    private func withdraw(_ source: Int) {
        heads.removeValue(forKey: source)?.taken.resume(throwing: CancellationError())
    }

    private func wake() {
        taker?.resume()
        taker = nil
    }
}
