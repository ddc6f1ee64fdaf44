import CLinux
import Glibc
import KilnModel

/// A network interface as the kernel describes it.
struct Link: Sendable, Equatable {
    let index: UInt32
    let name: String
    /// What it is for, in words: which resource a veth belongs to (`ip link` shows it as `alias`).
    let alias: String?
    let isUp: Bool
    /// Whether packets pass: up, its other end too, and the kernel's link watch has drawn its conclusions from that.
    let isRunning: Bool
    /// For a veth: the index of its other end, in that end's namespace.
    let peerIndex: UInt32?
    /// `veth`; nil for the loopback and for hardware.
    let kind: String?

    init?(_ reply: NetlinkReply) {
        guard reply.type == UInt16(RTM_NEWLINK), let header = reply.header(as: ifinfomsg.self) else { return nil }
        let attributes = reply.attributes(after: MemoryLayout<ifinfomsg>.size)
        guard let name = attributes.text(IFLA_IFNAME) else { return nil }
        self.name = name
        index = UInt32(bitPattern: header.ifi_index)
        alias = attributes.text(IFLA_IFALIAS)
        isUp = header.ifi_flags & UInt32(IFF_UP) != 0
        isRunning = attributes.number(IFLA_OPERSTATE, as: UInt8.self) == Self.operationalUp
        peerIndex = attributes.number(IFLA_LINK, as: UInt32.self)
        kind = attributes.nested(IFLA_LINKINFO)?.text(IFLA_INFO_KIND)
    }

    /// IF_OPER_UP of <linux/if.h> (RFC 2863).
    private static let operationalUp: UInt8 = 6
}

extension NetlinkRequest {
    /// A veth whose first end appears in the socket's own namespace and whose second in the one `peerNamespace` refers to; both down.
    static func createVeth(_ name: String, peer: String, peerNamespace: CInt) -> NetlinkRequest {
        var message = NetlinkMessage(type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, header: ifinfomsg())
        message.append(IFLA_IFNAME, name)
        message.append(IFLA_LINKINFO) { info in
            info.appendAttribute(IFLA_INFO_KIND, "veth".utf8)
            info.appendAttribute(IFLA_INFO_DATA) { data in
                data.appendAttribute(VETH_INFO_PEER) { end in
                    end += withUnsafeBytes(of: ifinfomsg()) { Array($0) }
                    end.appendAttribute(IFLA_IFNAME, Array(peer.utf8) + [0])
                    end.appendAttribute(IFLA_NET_NS_FD, UInt32(bitPattern: peerNamespace).bytes)
                }
            }
        }
        return NetlinkRequest(message: message, action: "create the veth \(name) with its peer \(peer)")
    }

    /// Changes a link; nil leaves a property as it is. `localnet` lets it carry packets for 127.0.0.0/8 (translated ones, say).
    static func setLink(_ index: UInt32, isUp: Bool? = nil, alias: String? = nil, localnet: Bool? = nil) -> NetlinkRequest {
        var header = ifinfomsg()
        header.ifi_index = CInt(index)
        if let isUp {
            header.ifi_change = UInt32(IFF_UP)
            header.ifi_flags = isUp ? UInt32(IFF_UP) : 0
        }
        var message = NetlinkMessage(type: RTM_SETLINK, header: header)
        // Without its final NUL: an empty value takes an alias away.
        if let alias { message.append(IFLA_IFALIAS, bytes: Array(alias.utf8)) }
        if let localnet {
            message.append(IFLA_AF_SPEC) { families in
                families.appendAttribute(Int(AF_INET)) { family in
                    family.appendAttribute(IFLA_INET_CONF) { $0.appendAttribute(LINUX_IPV4_DEVCONF_ROUTE_LOCALNET, UInt32(localnet ? 1 : 0).bytes) }
                }
            }
        }
        return NetlinkRequest(message: message, action: "change link \(index)")
    }

    /// Deletes a link, with its peer; content when there is none.
    static func deleteLink(named name: String) -> NetlinkRequest {
        var message = NetlinkMessage(type: RTM_DELLINK, header: ifinfomsg())
        message.append(IFLA_IFNAME, name)
        return NetlinkRequest(message: message, action: "delete the link \(name)", tolerated: [ENODEV])
    }

    fileprivate static func getLink(named name: String) -> NetlinkRequest {
        var message = NetlinkMessage(type: RTM_GETLINK, header: ifinfomsg())
        message.append(IFLA_IFNAME, name)
        return NetlinkRequest(message: message, action: "look up the link \(name)")
    }
}

extension NetlinkSocket {
    func link(named name: String) throws -> Link? {
        try get(.getLink(named: name).tolerating(ENODEV)).flatMap(Link.init)
    }

    /// As `link(named:)`, where its absence is an error.
    func existingLink(named name: String) throws -> Link {
        guard let link = try get(.getLink(named: name)).flatMap(Link.init) else {
            throw SystemCallError(number: ENODEV, action: "look up the link \(name)")
        }
        return link
    }

    func links() throws -> [Link] {
        let request = NetlinkRequest(message: NetlinkMessage(type: RTM_GETLINK, header: ifinfomsg()), action: "list the links")
        return try dump(request).compactMap(Link.init)
    }
}
