public import KilnModel

/// Whether somebody on a TCP connection waits for an answer, as far as the kernel can tell. Pure.
struct TCPActivity: Sendable, Equatable {
    /// Milliseconds ago, in steps of the kernel's tick (1 to 10 ms).
    var lastSent: UInt32
    var lastReceived: UInt32
    /// Segments with data.
    var received: UInt32
    var sent: UInt32

    init(lastSent: UInt32, lastReceived: UInt32, received: UInt32, sent: UInt32) {
        self.lastSent = lastSent
        self.lastReceived = lastReceived
        self.received = received
        self.sent = sent
    }

    /// Reads `struct tcp_info` of <linux/tcp.h>, of which a kernel may send less.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard let lastSent = bytes.number(UInt32.self, at: 44), let lastReceived = bytes.number(UInt32.self, at: 52),
            let received = bytes.number(UInt32.self, at: 152), let sent = bytes.number(UInt32.self, at: 156)
        else { return nil }
        self.init(lastSent: lastSent, lastReceived: lastReceived, received: received, sent: sent)
    }

    /// Received something after the last that was sent.
    ///
    /// Both in one tick is what a quick answer looks like, and also a question right behind the answer to the one before. For a while it
    /// counts as a question.
    var hasOpenQuestion: Bool {
        if received == 0 { return false }
        if sent == 0 { return true }
        if lastReceived == lastSent { return lastReceived < Self.doubt }
        return lastReceived < lastSent
    }

    /// Milliseconds.
    static let doubt: UInt32 = 500
}

extension InstanceNetwork {
    /// Established TCP connections to these ports of a workspace on which a request is being answered: something arrived after the last
    /// that was sent, or waits unread or unsent. A connection that was answered within the last half second may count as well.
    public func busyConnections(workspace: ResourceID, ports: Set<UInt16>) async throws -> Int {
        let namespace = workspaceNamespace(workspace)
        return try await DedicatedThread.run {
            guard namespace.exists else { return 0 }
            return try ports.reduce(0) { count, port in
                let query = OpenSocket.Query(transports: [.tcp], states: [.established, .closeWait], localPort: port, hasActivity: true)
                return count + (try OpenSocket.list(in: namespace, query).filter(\.isBusy).count)
            }
        }
    }
}

extension OpenSocket {
    var isBusy: Bool { unread > 0 || unsent > 0 || activity?.hasOpenQuestion == true }
}
