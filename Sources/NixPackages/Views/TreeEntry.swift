/// An entry of a package's tree, as the merge of a view needs to know it. Links that stay in the store count as what they lead to.
struct TreeEntry: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case directory
        case file(isExecutable: Bool)
    }

    /// Which file or directory it is on its disk: two entries with the same one are the same.
    struct Identity: Sendable, Hashable {
        var device: UInt64
        var inode: UInt64
    }

    var name: String
    var kind: Kind
    var identity: Identity
}

/// Reads the trees of packages.
protocol TreeReader: Sendable {
    /// The entries of the directory at `path`, in any order; empty when it is no directory.
    func entries(of path: String) throws -> [TreeEntry]
}
