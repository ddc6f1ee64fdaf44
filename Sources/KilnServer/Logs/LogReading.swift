internal import KilnModel
internal import Synchronization
internal import WorkspaceEngine

/// What of logs is wanted.
struct LogSelection: Sendable {
    var follow: Bool
    /// nil: from the beginning.
    var since: Timestamp?
    /// How many of the last lines of each; nil: all.
    var tail: Int?
}

/// Reads logs from an engine: what there is in the order of its time, then what comes as it comes.
struct LogReading: Sendable {
    let engine: any WorkspaceEngine
    let selection: LogSelection
    let output: @Sendable (LogLine) async throws -> Void

    /// What the logs hold.
    /// - Returns: how far each was read.
    func history(of sources: [LogRequest.Source]) async throws -> [LogRequest.Source: LogPosition] {
        let merge = LogMerge(sources: sources.count)
        return try await withThrowingTaskGroup(of: (LogRequest.Source, LogPosition).self) { group in
            for (index, source) in sources.enumerated() {
                group.addTask {
                    do {
                        let position = try await read(source, into: merge, as: index)
                        await merge.close(index)
                        return (source, position)
                    } catch {
                        await merge.close(index)
                        throw error
                    }
                }
            }
            while let line = await merge.next() { try await output(line) }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func read(_ source: LogRequest.Source, into merge: LogMerge, as index: Int) async throws -> LogPosition {
        let position = Mutex(LogPosition())
        try await engine.logs(LogRequest(source: source, tail: selection.tail, since: selection.since)) { line in
            position.withLock { _ = $0.take(line) }
            try await merge.give(line, from: index)
        }
        return position.withLock { $0 }
    }

    /// What is new in a log, from `position` on, without end.
    /// - Parameter begin: when the history was read.
    func follow(_ source: LogRequest.Source, from position: LogPosition?, begin: Timestamp) async throws {
        let position = Mutex(position ?? LogPosition())
        let known = position.withLock { position in
            position.rewind()
            return position.time
        }
        // Of a log that had no lines to show, all are new, unless some were not asked for.
        let since = known ?? selection.since ?? (selection.tail == 0 ? begin : nil)
        try await engine.logs(LogRequest(source: source, follow: true, since: since)) { line in
            if position.withLock({ $0.take(line) }) { try await output(line) }
        }
    }
}
