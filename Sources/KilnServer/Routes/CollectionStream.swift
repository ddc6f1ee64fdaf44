internal import KilnAPI
internal import KilnModel
internal import WorkspaceEngine

/// A collection of garbage, told line by line to whoever asked for it.
enum CollectionStream {
    /// Collects and tells how far it is; the last line says how it ended. A line that cannot be told stops the collection: whoever asked has gone.
    /// - Throws: what `say` throws, and errors of the collection that are no `KilnError`.
    static func run(
        _ collect: @escaping @Sendable (@escaping @Sendable (PackageProgress) async -> Void) async throws -> GarbageCollection,
        say: @escaping @Sendable (CollectionLine) async throws -> Void
    ) async throws {
        // Whoever reads slowly is told less often.
        let (steps, continuation) = AsyncStream.makeStream(of: PackageProgress.self, bufferingPolicy: .bufferingNewest(1))
        let last = try await withThrowingTaskGroup(of: CollectionLine?.self) { group in
            group.addTask {
                for await step in steps { try await say(.progress(step)) }
                return nil
            }
            group.addTask {
                defer { continuation.finish() }
                return try await end(of: { try await collect { continuation.yield($0) } })
            }
            return try await group.reduce(nil) { $0 ?? $1 }
        }
        if let last { try await say(last) }
    }

    private static func end(of collect: () async throws -> GarbageCollection) async throws -> CollectionLine {
        do {
            let collected = try await collect()
            return .done(freed: collected.freed, paths: collected.paths, partial: collected.isPartial)
        } catch let error as KilnError {
            return .failed(Problem(error))
        }
    }
}
