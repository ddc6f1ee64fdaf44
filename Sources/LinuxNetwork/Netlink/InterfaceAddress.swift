import CLinux
import Glibc
import KilnModel

/// An address on an interface.
struct InterfaceAddress: Sendable, Hashable {
    let link: UInt32
    let address: IPv4Address
    let prefixLength: Int

    init?(_ reply: NetlinkReply) {
        guard reply.type == UInt16(RTM_NEWADDR), let header = reply.header(as: ifaddrmsg.self) else { return nil }
        let attributes = reply.attributes(after: MemoryLayout<ifaddrmsg>.size)
        guard let address = attributes.address(Int(IFA_LOCAL)) ?? attributes.address(Int(IFA_ADDRESS)) else { return nil }
        self.address = address
        link = header.ifa_index
        prefixLength = Int(header.ifa_prefixlen)
    }
}

extension NetlinkRequest {
    /// Gives a link the address, as a /32; content when it has it.
    static func replaceAddress(_ address: IPv4Address, link: UInt32) -> NetlinkRequest {
        var message = NetlinkMessage(type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_REPLACE, header: header(link))
        message.append(Int(IFA_LOCAL), address)
        message.append(Int(IFA_ADDRESS), address)
        return NetlinkRequest(message: message, action: "give the address \(address) to link \(link)")
    }

    /// Takes the /32 away; content when it is not there.
    static func deleteAddress(_ address: IPv4Address, link: UInt32) -> NetlinkRequest {
        var message = NetlinkMessage(type: RTM_DELADDR, header: header(link))
        message.append(Int(IFA_LOCAL), address)
        return NetlinkRequest(message: message, action: "take the address \(address) from link \(link)", tolerated: [EADDRNOTAVAIL])
    }

    private static func header(_ link: UInt32) -> ifaddrmsg {
        var header = ifaddrmsg()
        header.ifa_family = UInt8(AF_INET)
        header.ifa_prefixlen = 32
        header.ifa_index = link
        return header
    }
}

extension NetlinkSocket {
    /// The IPv4 addresses of the namespace.
    func addresses() throws -> [InterfaceAddress] {
        var header = ifaddrmsg()
        header.ifa_family = UInt8(AF_INET)
        return try dump(NetlinkRequest(message: NetlinkMessage(type: RTM_GETADDR, header: header), action: "list the addresses"))
            .compactMap(InterfaceAddress.init)
    }
}
