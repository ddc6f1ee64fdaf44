internal import KilnModel
internal import WorkspaceEngine

extension Controller {
    /// Brings an engine the files and folders that an environment's services see, those it does not have.
    func storeFiles(of environment: Environment, on engine: any WorkspaceEngine) async throws {
        let wanted = environment.copies
        guard !wanted.isEmpty else { return }
        let copies = FileCopies(
            environment: environment.metadata.id, rangeIndex: environment.spec.rangeIndex,
            copies: wanted.sorted { ($0.origin, $0.digest.value) < ($1.origin, $1.digest.value) })
        for copy in try await engine.missing(copies) { try await engine.store(copy, of: copies, tar: contexts.open(copy.digest)) }
    }
}

extension Environment {
    /// The files and folders that its services see.
    var copies: Set<FileCopy> {
        Set(spec.services.flatMap(\.files).compactMap { if case .copy(let copy) = $0.source { copy } else { nil } })
    }
}
