internal import KilnAPI
internal import KilnModel

/// Brings to kilnd what it does not hold yet: build contexts, files and folders.
struct ContextUpload {
    let client: APIClient
    let context: Context

    /// - Returns: what the request is to say of the source.
    func upload(_ source: EnvironmentSource) async throws -> ComposeBundle {
        var bundle = ComposeBundle(sources: source.sources, secrets: source.secrets)
        for (path, tree) in source.contexts.sorted(by: { $0.key < $1.key }) {
            bundle.contexts[path] = try await upload(tree, called: "build context \(path)")
        }
        for (path, copy) in source.copies.sorted(by: { $0.key < $1.key }) {
            let digest = try await upload(copy.tree, called: path)
            bundle.copies[path] = FileCopy(origin: ProjectPath.normal(path), kind: copy.kind, digest: digest)
        }
        return bundle
    }

    private func upload(_ tree: ContextTree, called name: String) async throws -> ContentDigest {
        let packed = try PackedContext(tree, in: temporaryFolder)
        if try await !client.hasContext(packed.digest) { try await send(packed, called: name) }
        return packed.digest
    }

    private var temporaryFolder: String { context.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp" }

    private func send(_ packed: PackedContext, called name: String) async throws {
        let progress = Progress(name, on: context.output.error)
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
