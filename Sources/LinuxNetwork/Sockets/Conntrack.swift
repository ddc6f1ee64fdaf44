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
        public let replySourcePort: UInt16?
        public let replyDestinationPort: UInt16?
        let tuple: [UInt8]
        let id: UInt32?

        public func mentions(_ address: IPv4Address) -> Bool {
            [source, destination, replySource, replyDestination].contains(address)
        }
    }

    public static func list(in namespace: NetworkNamespace) async throws -> [Entry] {
        try await DedicatedThread.run { try entries(in: namespace) }
    }

    /// Deletes every entry that mentions `address`.
    /// - Returns: how many there were.
    @discardableResult
    public static func delete(_ address: IPv4Address, in namespace: NetworkNamespace) async throws -> Int {
        try await DedicatedThread.run { try delete(in: namespace) { $0.mentions(address) } }
    }

    /// As `delete`, on the calling `DedicatedThread`.
    @discardableResult
    static func delete(in namespace: NetworkNamespace, _ filter: Filter = .none, where isCondemned: (Entry) -> Bool) throws -> Int {
        let condemned = try entries(in: namespace, filter).filter(isCondemned)
        if !condemned.isEmpty { try delete(condemned, in: namespace) }
        return condemned.count
    }

    /// Deletes these entries; content with those that are gone.
    static func delete(_ entries: [Entry], in namespace: NetworkNamespace) throws {
        try open(namespace).send(entries.map(deletion))
    }

    /// The entries that pass the filter.
    static func entries(in namespace: NetworkNamespace, _ filter: Filter = .none) throws -> [Entry] {
        var message = message(IPCTNL_MSG_CT_GET)
        filter.write(to: &message)
        return try open(namespace).dump(NetlinkRequest(message: message, action: "list the tracked connections")).compactMap(Entry.init)
            // A kernel older than 5.8 does not know the filter.
            .filter(filter.passes)
    }

    /// The entry of one connection, by its first packet.
    static func entry(
        _ transport: TransportProtocol, from source: IPv4Address, _ sourcePort: UInt16, to destination: IPv4Address, _ port: UInt16,
        in namespace: NetworkNamespace
    ) throws -> Entry? {
        var message = message(IPCTNL_MSG_CT_GET)
        message.append(Int(CTA_TUPLE_ORIG.rawValue) | Int(NLA_F_NESTED)) { tuple in
            tuple.appendAttribute(Int(CTA_TUPLE_IP.rawValue) | Int(NLA_F_NESTED)) { addresses in
                addresses.appendAttribute(Int(CTA_IP_V4_SRC.rawValue), source.networkBytes)
                addresses.appendAttribute(Int(CTA_IP_V4_DST.rawValue), destination.networkBytes)
            }
            tuple.appendAttribute(Int(CTA_TUPLE_PROTO.rawValue) | Int(NLA_F_NESTED)) { ports in
                ports.appendAttribute(Int(CTA_PROTO_NUM.rawValue), [transport.number])
                ports.appendAttribute(Int(CTA_PROTO_SRC_PORT.rawValue), sourcePort.bigEndian.bytes)
                ports.appendAttribute(Int(CTA_PROTO_DST_PORT.rawValue), port.bigEndian.bytes)
            }
        }
        return try open(namespace).get(NetlinkRequest(message: message, action: "look up a tracked connection", tolerated: [ENOENT]))
            .flatMap(Entry.init)
    }

    private static func open(_ namespace: NetworkNamespace) throws -> NetlinkSocket {
        try namespace.enter { try NetlinkSocket(family: NETLINK_NETFILTER) }
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
        guard let tuple = attributes.bytes(Int(CTA_TUPLE_ORIG.rawValue)), let original = Ends(attributes.nested(Int(CTA_TUPLE_ORIG.rawValue))),
            let answer = Ends(attributes.nested(Int(CTA_TUPLE_REPLY.rawValue)))
        else { return nil }
        source = original.source
        destination = original.destination
        replySource = answer.source
        replyDestination = answer.destination
        transport = original.transport
        sourcePort = original.sourcePort
        destinationPort = original.destinationPort
        replySourcePort = answer.sourcePort
        replyDestinationPort = answer.destinationPort
        self.tuple = Array(tuple)
        // As it came, in network byte order.
        id = attributes.number(Int(CTA_ID.rawValue))
    }

    /// One direction of a connection (`CTA_TUPLE_…`).
    private struct Ends {
        let source: IPv4Address
        let destination: IPv4Address
        let transport: UInt8
        let sourcePort: UInt16?
        let destinationPort: UInt16?

        init?(_ tuple: NetlinkAttributes?) {
            guard let addresses = tuple?.nested(Int(CTA_TUPLE_IP.rawValue)), let ports = tuple?.nested(Int(CTA_TUPLE_PROTO.rawValue)),
                let source = addresses.address(Int(CTA_IP_V4_SRC.rawValue)), let destination = addresses.address(Int(CTA_IP_V4_DST.rawValue))
            else { return nil }
            self.source = source
            self.destination = destination
            transport = ports.number(Int(CTA_PROTO_NUM.rawValue)) ?? 0
            sourcePort = ports.number(Int(CTA_PROTO_SRC_PORT.rawValue), as: UInt16.self).map(UInt16.init(bigEndian:))
            destinationPort = ports.number(Int(CTA_PROTO_DST_PORT.rawValue), as: UInt16.self).map(UInt16.init(bigEndian:))
        }
    }
}
