import FileWork
import KilnModel

/// Makes store paths valid, each with a link that keeps it, so that no collection of garbage comes in between.
struct Realisation: Sendable {
    let nix: Nix

    /// A store path and where the link that keeps it shall be.
    struct Wanted: Sendable, Hashable {
        var path: StorePath
        var root: String
    }

    /// Fetches what is missing, all in one go; what can be had is there and kept afterwards, also when the call throws for the rest.
    /// - Throws: `package-failed`, `untrusted-signature`, `disk-full`.
    func fetch(
        _ wanted: [Wanted], from substituters: Substituters, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws {
        guard !wanted.isEmpty else { return }
        // Nothing but paths are realised, so that nothing can be built: Nix also takes this number for how much it fetches at once.
        let options = substituters.options.merging(["max-jobs": "\(substituters.downloads)"]) { $1 }
        try await keeping(wanted) { paths in
            try await nix.run(
                .store, ["--realise", "--keep-going"] + paths.map(\.value), options: options, timeout: .seconds(6 * 3600), progress: progress)
        }
    }

    /// Runs `make`, which makes paths valid, then links those that are.
    ///
    /// A link may be seen only when its path is valid, but a collection that begins in between would not see it at all. So the paths are kept by
    /// links of other names meanwhile, which Nix regards as soon as the paths are there.
    func keeping(_ wanted: [Wanted], _ make: ([StorePath]) async throws -> Void) async throws {
        for one in wanted { try TrustedFiles.link(guardLink(one), to: one.path.value) }
        var failure: (any Error)?
        var missing: Set<StorePath> = []
        do {
            try await make(wanted.map(\.path))
        } catch {
            failure = error
            // Whoever is cancelled cannot ask any more.
            missing = (try? await invalid(wanted.map(\.path))) ?? Set(wanted.map(\.path))
        }
        for one in wanted where !missing.contains(one.path) { try TrustedFiles.link(one.root, to: one.path.value) }
        // A collection that reads the roots right now may have seen the old links and not the new ones: leave them to the next call.
        if let lock = try CollectionLock() {
            for one in wanted { try TrustedFiles.remove(guardLink(one)) }
            _ = consume lock
        }
        if let failure, !missing.isEmpty { throw failure }
    }

    private func guardLink(_ wanted: Wanted) -> String {
        let slash = wanted.root.lastIndex(of: "/") ?? wanted.root.startIndex
        return "\(wanted.root[..<slash])/\(StoreRoots.unfinished)\(wanted.path.baseName)"
    }

    func invalid(_ paths: [StorePath]) async throws -> Set<StorePath> {
        let text = try await nix.run(.store, ["--check-validity", "--print-invalid"] + paths.map(\.value))
        return Set(text.split(separator: "\n").compactMap { try? StorePath(String($0)) })
    }
}
