internal import Glibc
internal import KilnModel

/// What a build context, or a file or folder that services see, holds: paths relative to it, sorted, ignored ones left out.
struct ContextTree: Equatable {
    /// What becomes of what cannot travel: links that lead outside, sockets, devices.
    enum Strictness {
        /// A build would go wrong without it.
        case refuses
        /// It would mean something else in a container anyway.
        case leavesOut
    }

    struct Item: Equatable {
        enum Kind: Equatable {
            case folder
            case file(size: Int)
            case link(target: String)
        }

        var path: String
        var mode: UInt32
        var kind: Kind
    }

    let root: String
    private(set) var items: [Item] = []
    /// What was left out though no rule said so.
    private(set) var leftOut: [String] = []
    private let strictness: Strictness
    /// Of a tree that is one file: where it lies.
    private var file: String?

    /// Total size of the files, in bytes.
    var size: Int { items.reduce(0) { if case .file(let size) = $1.kind { $0 + size } else { $0 } } }

    /// One file, under the name that a tar of one file has.
    init(file: String, mode: UInt32, size: Int) {
        root = file
        strictness = .refuses
        self.file = file
        items = [Item(path: FileCopy.memberName, mode: mode, kind: .file(size: size))]
    }

    /// An empty folder.
    init(emptyFolder: String) {
        root = emptyFolder
        strictness = .refuses
    }

    /// Where the content of an item is read.
    func location(of item: Item) -> String { file ?? "\(root)/\(item.path)" }

    /// Walks `root`, following no link.
    /// - Parameters:
    ///   - ignore: the rules of its `.dockerignore`.
    ///   - kept: files that travel whatever the rules say: those the build itself is described by.
    /// - Throws: `KilnError` with `invalid-build-context` at links that leave the context, sockets, devices, names that are not UTF-8.
    init(root: String, ignore: IgnoreFile, kept: Set<String>, strictness: Strictness = .refuses) throws(KilnError) {
        self.root = root
        self.strictness = strictness
        try walk("", ignore: ignore, kept: kept)
        items.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        let links = LinkMap(items)
        for case let item in items {
            guard case .link(let target) = item.kind, !links.staysInside(item.path) else { continue }
            guard strictness == .refuses else {
                leftOut.append(item.path)
                continue
            }
            throw KilnError(
                .invalidBuildContext,
                "The link \(item.path.printable()) in the build context \(root) leads to \(target.printable()), outside the context.",
                hint: "Remove it, or name it in .dockerignore."
            )
        }
        let out = Set(leftOut)
        items.removeAll { out.contains($0.path) }
    }

    private mutating func walk(_ folder: String, ignore: IgnoreFile, kept: Set<String>) throws(KilnError) {
        for name in try names(in: folder) {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            let ignored = !kept.contains(path) && !ignore.isEmpty && ignore.ignores(path)
            var status = stat()
            guard lstat("\(root)/\(path)", &status) == 0 else { throw unreadable(path) }
            let mode = UInt32(status.st_mode & 0o7777)
            switch status.st_mode & S_IFMT {
            case S_IFDIR:
                let count = items.count
                if !ignored { items.append(Item(path: path, mode: mode, kind: .folder)) }
                // An ignored folder is entered only when something in it may have to come along after all.
                guard !ignored || ignore.hasExceptions || kept.contains(where: { $0.hasPrefix("\(path)/") }) else { continue }
                try walk(path, ignore: ignore, kept: kept)
                if ignored, items.count > count { items.insert(Item(path: path, mode: mode, kind: .folder), at: count) }
            case _ where ignored: continue
            case S_IFREG: items.append(Item(path: path, mode: mode, kind: .file(size: Int(status.st_size))))
            case S_IFLNK: items.append(Item(path: path, mode: 0o777, kind: .link(target: try target(of: path))))
            case _ where strictness == .leavesOut: leftOut.append(path)
            default:
                throw KilnError(
                    .invalidBuildContext, "\(path.printable()) in the build context \(root) is a socket, pipe or device.",
                    hint: "Remove it, or name it in .dockerignore."
                )
            }
        }
    }

    private func names(in folder: String) throws(KilnError) -> [String] {
        guard let handle = opendir(folder.isEmpty ? root : "\(root)/\(folder)") else { throw unreadable(folder) }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let bytes = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                let shown = String(decoding: bytes, as: UTF8.self).printable()
                throw KilnError(.invalidBuildContext, "The name \(shown) in the build context \(root) is not UTF-8.", hint: "Rename it.")
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private func target(of path: String) throws(KilnError) -> String {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes { readlink("\(root)/\(path)", $0.baseAddress!, $0.count) }
        guard count >= 0, let target = String(validating: bytes.prefix(count), as: UTF8.self) else { throw unreadable(path) }
        return target
    }

    private func unreadable(_ path: String) -> KilnError {
        let place = path.isEmpty ? root : "\(root)/\(path.printable())"
        return KilnError(.invalidBuildContext, "\(place) cannot be read: \(String(cString: strerror(errno))).", hint: "ls -ld \(place)")
    }
}
