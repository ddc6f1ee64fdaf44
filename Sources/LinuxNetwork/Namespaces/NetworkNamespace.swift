import CLinux
import Glibc
import KilnModel

/// A network namespace that a path names: pinned below `/run/netns`, where `ip netns` finds it, or the host's own.
public struct NetworkNamespace: Sendable, Hashable, CustomStringConvertible {
    /// Where pins live; `ip netns` uses the same place.
    public static let directory = "/run/netns"
    /// The namespace this process was started in.
    public static let host = NetworkNamespace(name: "host", path: "/proc/self/ns/net")

    public let name: String
    /// What to open, or to give to Podman as `ns:PATH`.
    public let path: String

    /// The namespace pinned under `name`, whether it exists or not. `name` is one path component.
    public init(_ name: String) {
        precondition(!name.isEmpty && !name.contains("/") && name != "." && name != "..")
        self.init(name: name, path: "\(Self.directory)/\(name)")
    }

    private init(name: String, path: String) {
        self.name = name
        self.path = path
    }

    public var description: String { name }

    /// Whether a namespace is pinned here; false for a file that a crash left behind.
    public var exists: Bool { linux_filesystem_type(path) == CLong(LINUX_NSFS_MAGIC) }

    /// Runs `body` inside, on a thread of its own. Sockets opened there stay in the namespace wherever they are used later.
    /// - Throws: what `body` throws, or `KilnError` when the namespace cannot be entered.
    public func perform<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await DedicatedThread.run { try enter(body) }
    }

    /// Runs `body` inside and comes back. Only on a `DedicatedThread`.
    func enter<T>(_ body: () throws -> T) throws -> T {
        let target = try open()
        let previous = try Self.current()
        guard linux_setns(target.number, CInt(LINUX_CLONE_NEWNET)) == 0 else { throw SystemCallError.last("enter the network namespace \(name)") }
        defer {
            let code = linux_setns(previous.number, CInt(LINUX_CLONE_NEWNET))
            precondition(code == 0, "A thread that cannot leave a namespace must not go on.")
        }
        return try body()
    }

    func open() throws -> Descriptor {
        let number = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw SystemCallError.last("open the network namespace \(name)") }
        return Descriptor(number)
    }

    /// The calling thread's namespace.
    static func current() throws -> Descriptor {
        let number = Glibc.open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw SystemCallError.last("open this thread's network namespace") }
        return Descriptor(number)
    }
}
