import CLinux
import Glibc
import KilnModel

/// Ends other processes' sockets as a reset would: blocked reads and writes fail at once with ECONNABORTED.
enum SocketDestroyer {
    /// Destroys the sockets in `namespace` that `isCondemned` picks, listeners among them. Needs a kernel with INET_DIAG_DESTROY.
    /// - Returns: how many there were.
    @discardableResult
    static func destroy(
        in namespace: NetworkNamespace, _ query: OpenSocket.Query = OpenSocket.Query(), where isCondemned: (OpenSocket) -> Bool
    ) throws -> Int {
        let condemned = try OpenSocket.list(in: namespace, query).filter(isCondemned)
        guard !condemned.isEmpty else { return 0 }
        try namespace.enter { try NetlinkSocket(family: NETLINK_SOCK_DIAG) }.send(condemned.map { destruction(of: $0, in: namespace) })
        return condemned.count
    }

    /// Destroys the TCP sockets with these ends in `namespace`; content with those that are gone.
    static func destroy(_ ends: [ConnectionEnds], in namespace: NetworkNamespace) throws {
        if ends.isEmpty { return }
        let socket = try namespace.enter { try NetlinkSocket(family: NETLINK_SOCK_DIAG) }
        let found = try Set(ends).compactMap { ends in
            // Where there is none the kernel answers with the listener, and would destroy that.
            try socket.get(ends.lookup(in: namespace)).flatMap { OpenSocket($0, .tcp) }.flatMap { $0.ends == ends ? $0 : nil }
        }
        try socket.send(found.map { destruction(of: $0, in: namespace) })
    }

    private static func destruction(of socket: OpenSocket, in namespace: NetworkNamespace) -> NetlinkRequest {
        var header = inet_diag_req_v2()
        header.sdiag_family = socket.message.idiag_family
        header.sdiag_protocol = socket.transport.number
        header.idiag_states = UInt32.max
        header.id = socket.message.id
        let message = NetlinkMessage(type: Int(SOCK_DESTROY), header: header)
        // It may have been closed meanwhile.
        return NetlinkRequest(message: message, action: "end a socket in \(namespace)", tolerated: [ENOENT])
    }
}
