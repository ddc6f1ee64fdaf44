import Glibc
import KilnModel
public import NIOCore
import NIOPosix

/// A listening unix socket at a path. A socket left there by an earlier process is replaced in one step: whoever connects meets the old or
/// the new one, never none.
public struct UnixListener: Sendable {
    private let channel: any Channel
    private let path: String
    private let inode: UInt64

    /// - Parameters:
    ///   - path: in a directory that only this process's user may write; at most 100 bytes.
    ///   - mode: of the socket; who may write to it may connect.
    ///   - accept: takes a connection, on its event loop. Nothing was read, and `autoRead` is off. A failed future closes it.
    /// - Throws: `KilnError` when the path cannot be listened on.
    public static func bind(
        _ path: String, mode: UInt32, group: any EventLoopGroup, accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) async throws -> UnixListener {
        let fresh = path + ".new"
        do {
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.autoRead, value: false)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Acceptor(accept)) }
                }
                .bind(unixDomainSocketPath: fresh, cleanupExistingSocketFile: true).get()
            var status = stat()
            guard chmod(fresh, mode) == 0, lstat(fresh, &status) == 0, rename(fresh, path) == 0 else {
                let cause = String(cString: strerror(errno))
                channel.close(promise: nil)
                throw KilnError(.internalError, "Cannot listen on \(path): \(cause).")
            }
            return UnixListener(channel: channel, path: path, inode: UInt64(status.st_ino))
        } catch let error as KilnError {
            throw error
        } catch {
            throw KilnError(.internalError, "Cannot listen on \(path): \(error).")
        }
    }

    /// Stops listening and removes the socket, unless another process has put its own there. Connections stay.
    public func close() async {
        var status = stat()
        if lstat(path, &status) == 0, UInt64(status.st_ino) == inode { unlink(path) }
        try? await channel.close().get()  // Closed already: that is what was wanted.
    }
}

/// Hands a channel over once it is active: before, streams cannot be opened on it, nor can it be read.
private final class Acceptor: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Never

    private let accept: @Sendable (any Channel) -> EventLoopFuture<Void>

    init(_ accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>) { self.accept = accept }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        accept(channel).whenFailure { _ in channel.close(promise: nil) }
    }
}
