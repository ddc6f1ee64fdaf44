internal import KilnAPI
internal import KilnModel

/// Brings build contexts to kilnd, those it does not hold yet.
struct ContextUpload {
    let client: APIClient
    let context: Context

    /// - Returns: path as written → digest.
    func upload(_ trees: [String: ContextTree]) async throws -> [String: ContentDigest] {
        var digests: [String: ContentDigest] = [:]
        for (path, tree) in trees.sorted(by: { $0.key < $1.key }) {
            let packed = try PackedContext(tree, in: temporaryFolder)
            if try await !client.hasContext(packed.digest) { try await send(packed, called: path) }
            digests[path] = packed.digest
        }
        return digests
    }

    private var temporaryFolder: String { context.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp" }

    private func send(_ packed: PackedContext, called path: String) async throws {
        let progress = Progress("build context \(path)", on: context.output.error)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await progress.run() }
            var offset = 0
            try await client.putContext(packed.digest, length: packed.length) {
                let piece = try packed.piece(at: offset)
                offset += piece.count
                await progress.update("sent \(Show.percent(offset, of: packed.length)) of \(Show.size(packed.length))")
                return piece.isEmpty ? nil : piece
            }
        }
        await progress.clear()
    }
}
