import Glibc
import KilnModel
import Synchronization

/// What a `ListenerWatch` and its thread share.
final class ListenerWatchState: Sendable {
    private struct State {
        var watched: [ResourceID: SocketEnds] = [:]
        var pending: Set<ListenerWatch.Change> = []
        var isStopped = false
    }

    private let state = Mutex(State())
    /// Wakes the reader of changes.
    private let (wakes, waker) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    /// Wakes the thread: what it waits for has changed.
    private let (inlet, outlet): (Descriptor, Descriptor)

    /// A workspace that opens and closes sockets faster than anybody looks must not fill the memory.
    private static let mostPorts = 64

    init() throws {
        var ends: [CInt] = [-1, -1]
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SystemCallError.last("open a pair of sockets") }
        (outlet, inlet) = (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    func watch(_ workspace: ResourceID, _ namespace: NetworkNamespace) throws {
        let inode = try SocketEnds.inode(namespace.path)
        if state.withLock({ $0.watched[workspace]?.inode == inode }) { return }
        let ends = try SocketEnds(in: namespace)
        state.withLock { $0.watched[workspace] = ends }
        wakeThread()
    }

    func forget(_ workspace: ResourceID) {
        let known = state.withLock { state in
            state.pending = state.pending.filter { $0.workspace != workspace }
            return state.watched.removeValue(forKey: workspace)
        }
        if known != nil { wakeThread() }
    }

    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.watched = [:]
        }
        waker.finish()
        wakeThread()
    }

    /// Waits for changes and takes them; nil once stopped or cancelled.
    func next() async -> Set<ListenerWatch.Change>? {
        while true {
            let pending = state.withLock { state in
                defer { state.pending = [] }
                return state.pending
            }
            if !pending.isEmpty { return pending }
            var iterator = wakes.makeAsyncIterator()
            guard await iterator.next() != nil else { return nil }
        }
    }

    /// The thread: waits for all sockets until stopped.
    func run() {
        while let watched = state.withLock({ $0.isStopped ? nil : Array($0.watched) }) {
            var requests = [pollfd(fd: outlet.number, events: Int16(POLLIN), revents: 0)]
            requests += watched.map { pollfd(fd: $0.value.descriptor.number, events: Int16(POLLIN), revents: 0) }
            guard poll(&requests, nfds_t(requests.count), -1) >= 0 else {
                precondition(errno == EINTR || errno == ENOMEM, "poll() of own descriptors")
                continue
            }
            if requests[0].revents != 0 { drain() }
            for (request, (workspace, ends)) in zip(requests.dropFirst(), watched) where request.revents != 0 { note(ends.read(), in: workspace) }
        }
    }

    private func note(_ notices: Set<SocketEnds.Notice>, in workspace: ResourceID) {
        if notices.isEmpty { return }
        state.withLock { state in
            for notice in notices {
                switch notice {
                case .ended(let port): state.pending.insert(.ended(workspace: workspace, port: port))
                case .missed: state.pending.insert(.missed(workspace: workspace))
                }
            }
            let own = state.pending.filter { $0.workspace == workspace }
            if own.count > Self.mostPorts || own.contains(.missed(workspace: workspace)) {
                state.pending.subtract(own)
                state.pending.insert(.missed(workspace: workspace))
            }
        }
        waker.yield()
    }

    private func wakeThread() {
        var byte: UInt8 = 0
        // Full: it will wake anyway.
        _ = write(inlet.number, &byte, 1)
    }

    private func drain() {
        var buffer = [UInt8](repeating: 0, count: 64)
        while read(outlet.number, &buffer, buffer.count) > 0 {}
    }
}
