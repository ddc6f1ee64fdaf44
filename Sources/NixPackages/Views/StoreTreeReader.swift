import FileWork
import Glibc
import KilnModel

/// Reads trees from the store of this host.
struct StoreTreeReader: TreeReader {
    /// Links that leave it count as files: what they lead to is the workspace's affair.
    var store = StorePath.store

    func entries(of path: String) throws -> [TreeEntry] {
        try TrustedFiles.list(path).compactMap { name in entry(name, at: "\(path)/\(name)") }
    }

    private func entry(_ name: String, at path: String) -> TreeEntry? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        if status.st_mode & S_IFMT == S_IFLNK, let target = realpath(path, nil) {
            defer { free(target) }
            if String(cString: target).hasPrefix(store + "/") { stat(path, &status) }
        }
        let isDirectory = status.st_mode & S_IFMT == S_IFDIR
        // A link that leaves the store may well lead to a program there.
        let isExecutable = status.st_mode & S_IFMT == S_IFLNK || status.st_mode & 0o111 != 0
        return TreeEntry(
            name: name, kind: isDirectory ? .directory : .file(isExecutable: isExecutable),
            identity: .init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)))
    }
}
