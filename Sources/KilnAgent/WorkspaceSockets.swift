import FoundationEssentials
import Glibc
public import KilnModel
public import Logging
public import NIOCore
import Synchronization
public import WorkspaceEngine

/// The sockets by which `kl` inside workspaces reaches kilnd: `DIRECTORY/ID/kl.sock`, each in a directory of its own that only that
/// workspace has mounted, read-only. Which socket was used says who asks; the caller's user id is checked besides.
///
/// A directory remembers the user ids of its workspace as its group (the range's first id), so that sockets can be made again after a
/// restart without asking anybody. Everything here belongs to root, and no workspace can write to it.
public actor WorkspaceSockets {
    private struct Entry {
        let listener: UnixListener
        let callers: Callers
        let userIDs: Range<Int>
    }

    private let directory: String
    private let forwarder: WorkspaceForwarder
    private let group: any EventLoopGroup
    private let logger: Logger
    private var entries: [ResourceID: Entry] = [:]

    /// - Parameter directory: `/run/kiln/workspaces`; made, 0711, when it is missing.
    public init(directory: String, forwarder: WorkspaceForwarder, group: any EventLoopGroup, logger: Logger) throws {
        self.directory = directory
        self.forwarder = forwarder
        self.group = group
        self.logger = logger
        try TrustedDirectory.make(directory, user: geteuid(), group: getegid(), mode: 0o711)
    }

    /// Listens for a workspace whose processes have the host's user ids `userIDs`. Returns the directory to mount. Idempotent.
    public func open(_ workspace: ResourceID, userIDs: Range<Int>) async throws -> String {
        let path = path(of: workspace)
        if let entry = entries[workspace] {
            if entry.userIDs == userIDs { return path }
            await stop(workspace)
        }
        try TrustedDirectory.make(path, user: geteuid(), group: gid_t(userIDs.lowerBound), mode: 0o755)
        let callers = Callers()
        let forwarder = forwarder
        let listener = try await UnixListener.bind("\(path)/kl.sock", mode: 0o666, group: group) { channel in
            guard callers.add(channel) else { return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported) }
            return forwarder.accept(channel, workspace: workspace, userIDs: userIDs)
        }
        entries[workspace] = Entry(listener: listener, callers: callers, userIDs: userIDs)
        return path
    }

    /// Stops listening, cuts the connections and removes the directory. Done when it is gone already.
    public func close(_ workspace: ResourceID) async throws {
        await stop(workspace)
        try Self.remove(path(of: workspace))
    }

    private static func remove(_ path: String) throws {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return }
        for name in names where unlink("\(path)/\(name)") != 0 && errno != ENOENT { throw TrustedDirectory.failure("remove \(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw TrustedDirectory.failure("remove \(path)") }
    }

    /// Listens again in every directory that an earlier process left.
    /// - Parameter instance: whose user-id ranges a directory's group must begin one of.
    public func reopen(for instance: Instance) async throws {
        for workspace in try workspaces() {
            let path = path(of: workspace)
            var status = stat()
            guard lstat(path, &status) == 0, let userIDs = instance.range(beginningAt: Int(status.st_gid)) else {
                logger.warning("a workspace's socket directory is not one of ours", metadata: ["path": "\(path)"])
                continue
            }
            _ = try await open(workspace, userIDs: userIDs)
        }
    }

    /// Removes all that an agent left in `directory`, and that. Done when it is not there, as after a reboot.
    public static func purge(_ directory: String) throws {
        guard access(directory, F_OK) == 0 else { return }
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) where (try? ResourceID(name)) != nil {
            try remove("\(directory)/\(name)")
        }
        guard rmdir(directory) == 0 || errno == ENOENT else { throw TrustedDirectory.failure("remove \(directory)") }
    }

    /// Workspaces that have a directory.
    public nonisolated func workspaces() throws -> [ResourceID] {
        try FileManager.default.contentsOfDirectory(atPath: directory).compactMap { try? ResourceID($0) }
    }

    private nonisolated func path(of workspace: ResourceID) -> String { "\(directory)/\(workspace)" }

    private func stop(_ workspace: ResourceID) async {
        guard let entry = entries.removeValue(forKey: workspace) else { return }
        await entry.listener.close()
        entry.callers.close()
    }
}

/// The open connections to one socket, of which there is a limit: each costs kilnd a request handler.
private final class Callers: Sendable {
    private static let limit = 128
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    /// Keeps `channel` until it is closed; false when there are too many.
    func add(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let added = channels.withLock { channels in
            guard channels.count < Self.limit else { return false }
            channels[id] = channel
            return true
        }
        if added { channel.closeFuture.whenComplete { _ in self.channels.withLock { $0[id] = nil } } }
        return added
    }

    func close() {
        for channel in channels.withLock({ Array($0.values) }) { channel.close(promise: nil) }
    }
}

extension Instance {
    /// The range of user ids that begins at `id`, if it is one of this instance's.
    func range(beginningAt id: Int) -> Range<Int>? {
        let offset = id - firstUserID(ofRange: 0)
        guard offset >= 0, offset % Self.rangeSize == 0, offset / Self.rangeSize < Self.rangeCount else { return nil }
        return id..<(id + Self.rangeSize)
    }
}
