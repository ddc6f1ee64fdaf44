import Glibc
import NIOCore

/// Who is at the other end of a unix socket (`SO_PEERCRED`, unix(7)): the user of the process that connected or, seen from there, that
/// called `listen`. The kernel keeps it from that moment; it cannot be forged.
enum PeerCredentials {
    /// The peer's user id, as this process's user namespace sees it. On the channel's event loop.
    static func userID(of channel: any Channel) -> EventLoopFuture<UInt32> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let credentials: EventLoopFuture<Credentials> = provider.unsafeGetSocketOption(level: .socket, name: .init(rawValue: SO_PEERCRED))
        return credentials.map { $0.userID }
    }

    /// `struct ucred`, which glibc's headers keep to themselves.
    private struct Credentials {
        var processID: Int32
        var userID: UInt32
        var groupID: UInt32
    }
}
