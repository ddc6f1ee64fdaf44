import KilnModel

/// Paths of the store, their sizes and what each needs. Pure.
struct StoreGraph: Sendable, Equatable {
    struct Node: Sendable, Equatable {
        /// Bytes of the path's contents as an archive.
        var size: Int
        /// What it refers to, itself left out.
        var references: [StorePath]
    }

    var nodes: [StorePath: Node] = [:]

    init(nodes: [StorePath: Node] = [:]) { self.nodes = nodes }

    /// Parses what `nix-store --dump-db` prints: for each path its name, hash, size, deriver, the count of its references, and they, a line each.
    /// - Throws: `package-failed` for anything else.
    init(registrations text: String) throws(KilnError) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).makeIterator()
        while let name = lines.next(), !name.isEmpty {
            guard let path = try? StorePath(String(name)), lines.next() != nil, let size = lines.next().flatMap({ Int($0) }), lines.next() != nil,
                let count = lines.next().flatMap({ Int($0) })
            else { throw Self.unreadable }
            var references: [StorePath] = []
            for _ in 0..<count {
                guard let reference = lines.next().flatMap({ try? StorePath(String($0)) }) else { throw Self.unreadable }
                if reference != path { references.append(reference) }
            }
            nodes[path] = Node(size: size, references: references)
        }
    }

    private static let unreadable = KilnError(.packageFailed, "What Nix says of its store cannot be read.")

    /// The paths with all that they need. Paths that the graph does not have are left out.
    func closure(of paths: some Sequence<StorePath>) -> Set<StorePath> {
        var found: Set<StorePath> = []
        var open = Array(paths)
        while let path = open.popLast() {
            guard let node = nodes[path], found.insert(path).inserted else { continue }
            open += node.references
        }
        return found
    }

    /// Bytes of the paths with all that they need, each counted once.
    func size(ofClosure paths: some Sequence<StorePath>) -> Int { closure(of: paths).reduce(0) { $0 + (nodes[$1]?.size ?? 0) } }

    /// A shortest way from one path to another, each needing the next; nil when there is none.
    func chain(from start: StorePath, to end: StorePath) -> [StorePath]? {
        var cameFrom: [StorePath: StorePath] = [:]
        var ring = [start]
        var seen: Set = [start]
        while !ring.isEmpty, !seen.contains(end) {
            var next: [StorePath] = []
            for path in ring {
                for reference in nodes[path]?.references ?? [] where seen.insert(reference).inserted {
                    cameFrom[reference] = path
                    next.append(reference)
                }
            }
            ring = next
        }
        guard seen.contains(end) else { return nil }
        var chain = [end]
        while let path = cameFrom[chain[0]] { chain.insert(path, at: 0) }
        return chain
    }
}
