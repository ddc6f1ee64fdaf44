import CTerminal
import FileWork
import Glibc
import KilnModel

/// Unix stream sockets, as far as Kiln itself speaks them.
enum UnixSocket {
    /// The process that listens at `path`; nil when none does.
    static func listener(at path: String) -> Int32? {
        let socket = Descriptor(owning: Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        guard socket.number >= 0, withAddress(path, { connect(socket.number, $0, $1) }) == 0 else { return nil }
        let pid = kiln_peer_process(socket.number)
        return pid > 0 ? pid : nil
    }

    /// Listens at `path`, which must not exist.
    static func listen(at path: String) throws -> Descriptor {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = Descriptor(owning: Glibc.socket(AF_UNIX, kind, 0))
        guard socket.number >= 0, withAddress(path, { bind(socket.number, $0, $1) }) == 0, Glibc.listen(socket.number, 1) == 0 else {
            throw TrustedFiles.failure("listen at \(path)")
        }
        return socket
    }

    /// The connection that waits at a listening socket.
    static func accept(_ socket: Descriptor) throws -> Descriptor {
        let connection = Descriptor(owning: Glibc.accept(socket.number, nil, nil))
        guard connection.number >= 0 else { throw TrustedFiles.failure("accept from a socket") }
        return connection
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard path.utf8.count < room.count else { return false }
            room.copyBytes(from: path.utf8)
            return true
        }
        guard fits else {
            errno = ENAMETOOLONG
            return -1
        }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}
