import CLinux
import Glibc
public import KilnModel

/// The connections a namespace tracks: what decides where packets of a known connection go, whatever the maps say now.
public enum Conntrack {
    public struct Entry: Sendable, Hashable {
        /// Sender and receiver as the first packet had them.
        public let source: IPv4Address
        public let destination: IPv4Address
        /// Sender and receiver of the answers: where a translation shows.
        public let replySource: IPv4Address
        public let replyDestination: IPv4Address
        /// IP protocol number: 6 for TCP, 17 for UDP.
        public let transport: UInt8
        /// Nil for protocols without ports.
        public let sourcePort: UInt16?
        public let destinationPort: UInt16?
        let tuple: [UInt8]
        let id: UInt32?

        public func mentions(_ address: IPv4Address) -> Bool {
            [source, destination, replySource, replyDestination].contains(address)
        }
    }

    public static func list(in namespace: NetworkNamespace) async throws -> [Entry] {
        try await DedicatedThread.run { try entries(of: open(namespace)) }
    }

    /// Deletes every entry that mentions `address`.
    /// - Returns: how many there were.
    @discardableResult
    public static func delete(_ address: IPv4Address, in namespace: NetworkNamespace) async throws -> Int {
        try await DedicatedThread.run { try delete(in: namespace) { $0.mentions(address) } }
    }

    /// As `delete`, on the calling `DedicatedThread`.
    @discardableResult
    static func delete(in namespace: NetworkNamespace, where isCondemned: (Entry) -> Bool) throws -> Int {
        let socket = try open(namespace)
        let condemned = try entries(of: socket).filter(isCondemned)
        try socket.send(condemned.map(deletion))
        return condemned.count
    }

    private static func open(_ namespace: NetworkNamespace) throws -> NetlinkSocket {
        try namespace.enter { try NetlinkSocket(family: NETLINK_NETFILTER) }
    }

    private static func entries(of socket: NetlinkSocket) throws -> [Entry] {
        try socket.dump(NetlinkRequest(message: message(IPCTNL_MSG_CT_GET), action: "list the tracked connections")).compactMap(Entry.init)
    }

    private static func deletion(of entry: Entry) -> NetlinkRequest {
        var message = message(IPCTNL_MSG_CT_DELETE)
        message.append(Int(CTA_TUPLE_ORIG.rawValue) | Int(NLA_F_NESTED), bytes: entry.tuple)
        // Not a newer connection between the same ends.
        if let id = entry.id { message.append(Int(CTA_ID.rawValue), bytes: id.bytes) }
        return NetlinkRequest(message: message, action: "forget a tracked connection", tolerated: [ENOENT])
    }

    private static func message(_ kind: cntl_msg_types) -> NetlinkMessage {
        var header = nfgenmsg()
        header.nfgen_family = UInt8(AF_INET)
        header.version = UInt8(NFNETLINK_V0)
        return NetlinkMessage(type: Int(NFNL_SUBSYS_CTNETLINK) << 8 | Int(kind.rawValue), header: header)
    }
}

extension Conntrack.Entry {
    init?(_ reply: NetlinkReply) {
        let attributes = reply.attributes(after: MemoryLayout<nfgenmsg>.size)
        guard let tuple = attributes.bytes(Int(CTA_TUPLE_ORIG.rawValue)), let original = attributes.nested(Int(CTA_TUPLE_ORIG.rawValue)),
            let answer = attributes.nested(Int(CTA_TUPLE_REPLY.rawValue)), let addresses = original.nested(Int(CTA_TUPLE_IP.rawValue)),
            let answerAddresses = answer.nested(Int(CTA_TUPLE_IP.rawValue)), let ports = original.nested(Int(CTA_TUPLE_PROTO.rawValue)),
            let source = addresses.address(Int(CTA_IP_V4_SRC.rawValue)), let destination = addresses.address(Int(CTA_IP_V4_DST.rawValue)),
            let replySource = answerAddresses.address(Int(CTA_IP_V4_SRC.rawValue)),
            let replyDestination = answerAddresses.address(Int(CTA_IP_V4_DST.rawValue))
        else { return nil }
        self.source = source
        self.destination = destination
        self.replySource = replySource
        self.replyDestination = replyDestination
        transport = ports.number(Int(CTA_PROTO_NUM.rawValue)) ?? 0
        sourcePort = ports.number(Int(CTA_PROTO_SRC_PORT.rawValue), as: UInt16.self).map(UInt16.init(bigEndian:))
        destinationPort = ports.number(Int(CTA_PROTO_DST_PORT.rawValue), as: UInt16.self).map(UInt16.init(bigEndian:))
        self.tuple = Array(tuple)
        // As it came, in network byte order.
        id = attributes.number(Int(CTA_ID.rawValue))
    }
}
