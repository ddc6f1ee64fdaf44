import CLinux
import Glibc
import KilnModel

/// An IPv4 route.
struct Route: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case unicast
        /// Answers at once that there is no way.
        case unreachable
        /// Addresses of this very namespace, and others that Kiln never makes.
        case other(UInt8)
    }

    var destination: IPv4Prefix
    var kind = Kind.unicast
    var link: UInt32?
    var gateway: IPv4Address?
    /// Which own address packets get.
    var source: IPv4Address?
    /// Lower wins.
    var metric: UInt32 = 0
    var table = UInt32(RT_TABLE_MAIN.rawValue)
    /// Who made it; `mark` for Kiln.
    var author = Self.mark

    /// Kiln's own `rtm_protocol`, so that `ip route` tells its routes (`proto 75`) from anybody else's. Unassigned in rtnetlink.h.
    static let mark: UInt8 = 75

    /// To a prefix through a gateway that need not lie in a connected prefix, or, without one, straight out of the link.
    static func via(_ gateway: IPv4Address? = nil, link: UInt32, to destination: IPv4Prefix, source: IPv4Address?, metric: UInt32 = 0) -> Route {
        Route(destination: destination, link: link, gateway: gateway, source: source, metric: metric)
    }

    static func unreachable(_ destination: IPv4Prefix, metric: UInt32) -> Route {
        Route(destination: destination, kind: .unreachable, metric: metric)
    }
}

extension Route {
    init?(_ reply: NetlinkReply) {
        guard reply.type == UInt16(RTM_NEWROUTE), let header = reply.header(as: rtmsg.self), header.rtm_family == UInt8(AF_INET),
            header.rtm_dst_len <= 32, header.rtm_flags & UInt32(RTM_F_CLONED) == 0
        else { return nil }
        let attributes = reply.attributes(after: MemoryLayout<rtmsg>.size)
        let address = attributes.address(Int(RTA_DST.rawValue)) ?? IPv4Address(bits: 0)
        let kind: Kind
        switch Int(header.rtm_type) {
        case RTN_UNICAST: kind = .unicast
        case RTN_UNREACHABLE: kind = .unreachable
        default: kind = .other(header.rtm_type)
        }
        self.init(
            destination: IPv4Prefix(address, Int(header.rtm_dst_len)), kind: kind, link: attributes.number(Int(RTA_OIF.rawValue)),
            gateway: attributes.address(Int(RTA_GATEWAY.rawValue)), source: attributes.address(Int(RTA_PREFSRC.rawValue)),
            metric: attributes.number(Int(RTA_PRIORITY.rawValue)) ?? 0,
            table: attributes.number(Int(RTA_TABLE.rawValue)) ?? UInt32(header.rtm_table), author: header.rtm_protocol)
    }

    fileprivate func message(type: Int, flags: CInt = 0) -> NetlinkMessage {
        var header = rtmsg()
        header.rtm_family = UInt8(AF_INET)
        header.rtm_dst_len = UInt8(destination.length)
        header.rtm_table = UInt8(truncatingIfNeeded: table)
        header.rtm_protocol = author
        switch kind {
        case .unicast:
            header.rtm_type = UInt8(RTN_UNICAST)
            header.rtm_scope = UInt8((gateway == nil ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE).rawValue)
        case .unreachable: header.rtm_type = UInt8(RTN_UNREACHABLE)
        case .other(let type): header.rtm_type = type
        }
        if gateway != nil { header.rtm_flags = UInt32(RTNH_F_ONLINK) }
        var message = NetlinkMessage(type: type, flags: flags, header: header)
        message.append(Int(RTA_DST.rawValue), destination.address)
        if let link { message.append(Int(RTA_OIF.rawValue), link) }
        if let gateway { message.append(Int(RTA_GATEWAY.rawValue), gateway) }
        if let source { message.append(Int(RTA_PREFSRC.rawValue), source) }
        if metric != 0 { message.append(Int(RTA_PRIORITY.rawValue), metric) }
        return message
    }
}

extension NetlinkRequest {
    /// Adds the route, or takes the place of the one with the same destination and metric.
    static func replaceRoute(_ route: Route) -> NetlinkRequest {
        NetlinkRequest(
            message: route.message(type: RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE), action: "set the route to \(route.destination)")
    }

    /// Deletes the route; content when there is none.
    static func deleteRoute(_ route: Route) -> NetlinkRequest {
        NetlinkRequest(message: route.message(type: RTM_DELROUTE), action: "delete the route to \(route.destination)", tolerated: [ESRCH])
    }
}

extension NetlinkSocket {
    /// The IPv4 routes of all tables.
    func routes() throws -> [Route] {
        var header = rtmsg()
        header.rtm_family = UInt8(AF_INET)
        return try dump(NetlinkRequest(message: NetlinkMessage(type: RTM_GETROUTE, header: header), action: "list the routes")).compactMap(Route.init)
    }
}
