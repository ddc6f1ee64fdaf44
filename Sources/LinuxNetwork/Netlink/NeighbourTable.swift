import CLinux
import Glibc

/// What a namespace remembers of its neighbours' hardware addresses.
public enum NeighbourTable {
    /// Forgets all of them, as time would: whatever works afterwards does not rest on an entry that will expire.
    public static func flush(in namespace: NetworkNamespace) async throws {
        try await DedicatedThread.run {
            let socket = try NetlinkSocket.route(in: namespace)
            var header = ndmsg()
            header.ndm_family = UInt8(AF_INET)
            let entries = try socket.dump(NetlinkRequest(message: NetlinkMessage(type: RTM_GETNEIGH, header: header), action: "list the neighbours"))
            try socket.send(entries.compactMap(deletion))
        }
    }

    private static func deletion(of entry: NetlinkReply) -> NetlinkRequest? {
        guard let header = entry.header(as: ndmsg.self),
            let address = entry.attributes(after: MemoryLayout<ndmsg>.size).bytes(Int(NDA_DST))
        else { return nil }
        var message = NetlinkMessage(type: RTM_DELNEIGH, header: header)
        message.append(Int(NDA_DST), bytes: address)
        return NetlinkRequest(message: message, action: "forget a neighbour", tolerated: [ENOENT])
    }
}
