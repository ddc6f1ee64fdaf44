import FileWork
import FoundationEssentials
import Glibc
import KilnModel

/// The store of the host as an instance uses it: who needs which paths, what they take, and what can go.
struct NixStore: Sendable {
    let nix: Nix
    let roots: StoreRoots
    /// Remembers sizes of closures, a file each, named by the path: what is asked once need not be asked of Nix again.
    let sizesDirectory: String

    /// Where the store is.
    static let directory = StorePath.store

    // MARK: Without starting a program

    /// Takes those paths for `holder` that are valid as far as can be known from roots alone.
    /// - Returns: the rest.
    func adopt(_ paths: [StorePath], for holder: StoreRoots.Holder) throws(KilnError) -> [StorePath] {
        let missing = paths.filter { !(roots.holds($0, for: holder) && TrustedFiles.exists($0.value)) }
        // While a collection runs, what another root keeps now may be let go before ours is seen.
        guard !missing.isEmpty, let lock = try CollectionLock() else { return missing }
        // A pending root says that somebody wants the path, not that it is there already.
        let holders = try roots.holders().filter { $0 != .pending }
        var left: [StorePath] = []
        for path in missing {
            if holders.contains(where: { roots.holds(path, for: $0) }), TrustedFiles.exists(path.value) {
                try roots.hold(path, for: holder)
            } else {
                left.append(path)
            }
        }
        _ = consume lock
        return left
    }

    /// Forgets what was kept for somebody about to take it over, unless a collection runs.
    func releasePending() throws(KilnError) {
        guard let lock = try CollectionLock() else { return }
        for path in try roots.paths(of: .pending) { try roots.release(path, for: .pending) }
        try roots.removeUnfinished()
        _ = consume lock
    }

    /// Bytes free on the disk of the store.
    func freeSpace() throws(KilnError) -> Int {
        var status = statvfs()
        guard statvfs(Self.directory, &status) == 0 else { throw TrustedFiles.failure("measure the disk of \(Self.directory)") }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }

    // MARK: By asking Nix

    /// Bytes of each path with all that it needs.
    func closureSizes(of paths: [StorePath]) async throws -> [StorePath: Int] {
        var sizes: [StorePath: Int] = [:]
        for path in paths {
            if let bytes = try TrustedFiles.read("\(sizesDirectory)/\(path.baseName)") { sizes[path] = Int(String(decoding: bytes, as: UTF8.self)) }
        }
        let unknown = paths.filter { sizes[$0] == nil }
        guard !unknown.isEmpty else { return sizes }
        let graph = try await graph(ofClosure: unknown)
        try TrustedFiles.makeDirectories(sizesDirectory, mode: 0o755)
        for path in unknown {
            let size = graph.size(ofClosure: [path])
            sizes[path] = size
            try TrustedFiles.replace("\(sizesDirectory)/\(path.baseName)", with: "\(size)")
        }
        return sizes
    }

    /// Drops the sizes of paths that are gone.
    func forgetSizes() throws(KilnError) {
        for name in try TrustedFiles.list(sizesDirectory) where !TrustedFiles.exists("\(Self.directory)/\(name)") {
            try TrustedFiles.remove("\(sizesDirectory)/\(name)")
        }
    }

    /// The paths with all that they need. Paths that are not valid are left out.
    func graph(ofClosure paths: some Collection<StorePath>) async throws -> StoreGraph {
        guard !paths.isEmpty else { return StoreGraph() }
        let closure = try await nix.run(.store, ["--query", "--requisites"] + paths.map(\.value))
        return StoreGraph(nodes: try await graph(of: closure.split(separator: "\n").map(String.init)).nodes)
    }

    /// The whole store.
    func graph() async throws -> StoreGraph { try await graph(of: []) }

    private func graph(of paths: [String]) async throws -> StoreGraph {
        try StoreGraph(registrations: try await nix.run(.store, ["--dump-db"] + paths, timeout: .seconds(300)))
    }

    /// What no root keeps, as Nix finds it: programs that run keep theirs, too.
    func garbage() async throws -> Set<StorePath> {
        let text = try await nix.run(.store, ["--gc", "--print-dead"], timeout: .seconds(300))
        return Set(text.split(separator: "\n").compactMap { try? StorePath(String($0)) })
    }
}

extension NixStore {
    /// Lets Nix delete garbage, at the lowest priority, until so many bytes are free.
    func collect(atMost bytes: Int) async throws -> (paths: Int, bytes: Int) {
        let text = try await nix.run(.store, ["--gc", "--max-freed", "\(bytes)"], isPatient: true, timeout: .seconds(900))
        return try Self.freed(text)
    }

    /// Reads `3 store paths deleted, 35.23 MiB freed` (`src/libstore/gc.cc`, `showBytes`), the last thing that a collection says.
    static func freed(_ text: String) throws(KilnError) -> (paths: Int, bytes: Int) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let end = words.lastIndex(of: "freed"), end >= 6, words[end - 1] == "MiB", let paths = Int(words[end - 6]),
            let size = Double(words[end - 2]), size >= 0, size < 1e9
        else { throw KilnError(.packageFailed, "What Nix says of a collection cannot be read.") }
        return (paths, Int(size * Double(1 << 20)))
    }
}
