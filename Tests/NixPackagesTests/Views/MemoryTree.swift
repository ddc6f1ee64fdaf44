import KilnModel

@testable import NixPackages

/// Trees of packages that exist nowhere but here.
struct MemoryTree: TreeReader {
    indirect enum Node {
        case file
        case program
        case directory([String: Node])
        /// A link to the directory that holds it.
        case loop
    }

    private let trees: [String: Node]
    private let identities: [String: TreeEntry.Identity]

    init(_ packages: [(path: StorePath, tree: [String: Node])]) {
        trees = Dictionary(uniqueKeysWithValues: packages.map { ($0.path.value, Node.directory($0.tree)) })
        var identities: [String: TreeEntry.Identity] = [:]
        func number(_ node: Node, _ path: String) {
            identities[path] = .init(device: 1, inode: UInt64(identities.count))
            if case .directory(let entries) = node { for (name, entry) in entries { number(entry, "\(path)/\(name)") } }
        }
        for (path, tree) in trees { number(tree, path) }
        self.identities = identities
    }

    func entries(of path: String) -> [TreeEntry] {
        guard case .directory(let entries)? = node(at: path) else { return [] }
        return entries.map { name, node in
            switch node {
            case .file: TreeEntry(name: name, kind: .file(isExecutable: false), identity: identity("\(path)/\(name)"))
            case .program: TreeEntry(name: name, kind: .file(isExecutable: true), identity: identity("\(path)/\(name)"))
            case .directory: TreeEntry(name: name, kind: .directory, identity: identity("\(path)/\(name)"))
            case .loop: TreeEntry(name: name, kind: .directory, identity: identity(path))
            }
        }
    }

    private func identity(_ path: String) -> TreeEntry.Identity { identities[path]! }

    /// The node itself, loops followed.
    func node(at path: String) -> Node? {
        guard let root = trees.first(where: { path == $0.key || path.hasPrefix($0.key + "/") }) else { return nil }
        var way = [root.value]
        for name in path.dropFirst(root.key.count).split(separator: "/") {
            guard case .directory(let entries) = way[way.count - 1], let next = entries[String(name)] else { return nil }
            if case .loop = next { continue }
            way.append(next)
        }
        return way[way.count - 1]
    }
}
