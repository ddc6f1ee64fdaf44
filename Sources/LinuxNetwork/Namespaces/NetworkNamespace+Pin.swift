import CLinux
import Glibc
public import KilnModel

extension NetworkNamespace {
    /// Makes and pins the namespace unless it is there. A file left behind by a crash is used.
    ///
    /// Its settings are written before it is pinned: a pinned namespace is never half-made.
    public func create(_ settings: NamespaceSettings) async throws {
        try await DedicatedThread.run { try createHere(settings) }
    }

    /// Unpins the namespace; it lives on while processes are in it. None there: nothing to do.
    public func delete() async throws {
        try await DedicatedThread.run { try deleteHere() }
    }

    /// The pins whose names begin with `prefix`, in order; a crash's left-over files are among them.
    public static func list(prefix: String) throws(KilnError) -> [NetworkNamespace] {
        guard let stream = opendir(directory) else {
            if errno == ENOENT { return [] }
            throw SystemCallError.last("list \(directory)").kilnError
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: entry.pointee.d_name)) { String(cString: $0) }
            }
            if name != ".", name != "..", name.hasPrefix(prefix) { names.append(name) }
        }
        return names.sorted().map { NetworkNamespace($0) }
    }

    /// As `create`, on the calling `DedicatedThread`.
    func createHere(_ settings: NamespaceSettings) throws {
        if exists { return }
        try Self.prepareDirectory()
        let file = Glibc.open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0o444)
        guard file >= 0 else { throw SystemCallError.last("create \(path)") }
        close(file)
        let previous = try Self.current()
        guard linux_unshare(CInt(LINUX_CLONE_NEWNET)) == 0 else { throw SystemCallError.last("make a network namespace for \(name)") }
        defer {
            let code = linux_setns(previous.number, CInt(LINUX_CLONE_NEWNET))
            precondition(code == 0, "A thread that cannot leave a namespace must not go on.")
        }
        try settings.applyHere()
        guard linux_mount("/proc/thread-self/ns/net", path, "none", CUnsignedLong(LINUX_MS_BIND), nil) == 0 else {
            throw SystemCallError.last("pin the network namespace \(name)")
        }
    }

    /// As `delete`, on the calling thread.
    func deleteHere() throws {
        // More than one mount can lie here when two processes pinned at once.
        while linux_umount(path, CInt(LINUX_MNT_DETACH)) == 0 {}
        guard errno == EINVAL || errno == ENOENT else { throw SystemCallError.last("unpin the network namespace \(name)") }
        guard unlink(path) == 0 || errno == ENOENT else { throw SystemCallError.last("remove \(path)") }
    }

    /// Makes `/run/netns` a shared mount as `ip netns add` does, so that a pin taken away here goes away in other mount namespaces too.
    private static func prepareDirectory() throws {
        guard mkdir(directory, 0o755) == 0 || errno == EEXIST else { throw SystemCallError.last("create \(directory)") }
        let shared = CUnsignedLong(LINUX_MS_SHARED | LINUX_MS_REC)
        if linux_mount("", directory, "none", shared, nil) == 0 { return }
        guard errno == EINVAL else { throw SystemCallError.last("share the mount \(directory)") }
        guard linux_mount(directory, directory, "none", CUnsignedLong(LINUX_MS_BIND | LINUX_MS_REC), nil) == 0,
            linux_mount("", directory, "none", shared, nil) == 0
        else { throw SystemCallError.last("share the mount \(directory)") }
    }
}
