import CLinux
import KilnModel

extension Conntrack {
    /// Which entries the kernel is asked for: under load it may track a hundred thousand that do not matter.
    enum Filter: Sendable {
        case none
        /// Those whose first packet was for this port.
        case to(IPv4Address, TransportProtocol, UInt16)
        /// Those answered from this address.
        case answeredBy(IPv4Address, TransportProtocol)

        func passes(_ entry: Entry) -> Bool {
            switch self {
            case .none: true
            case .to(let address, let transport, let port):
                entry.destination == address && entry.transport == transport.number && entry.destinationPort == port
            case .answeredBy(let address, let transport): entry.replySource == address && entry.transport == transport.number
            }
        }

        func write(to message: inout NetlinkMessage) {
            switch self {
            case .none: return
            case .to(let address, let transport, let port):
                message.append(Int(CTA_TUPLE_ORIG.rawValue) | Int(NLA_F_NESTED)) { tuple in
                    tuple.appendAttribute(Int(CTA_TUPLE_IP.rawValue) | Int(NLA_F_NESTED)) {
                        $0.appendAttribute(Int(CTA_IP_V4_DST.rawValue), address.networkBytes)
                    }
                    tuple.appendAttribute(Int(CTA_TUPLE_PROTO.rawValue) | Int(NLA_F_NESTED)) { ports in
                        ports.appendAttribute(Int(CTA_PROTO_NUM.rawValue), [transport.number])
                        ports.appendAttribute(Int(CTA_PROTO_DST_PORT.rawValue), port.bigEndian.bytes)
                    }
                }
                flags(Int(CTA_FILTER_ORIG_FLAGS.rawValue), Flag.destination | Flag.transport | Flag.destinationPort, &message)
            case .answeredBy(let address, let transport):
                message.append(Int(CTA_TUPLE_REPLY.rawValue) | Int(NLA_F_NESTED)) { tuple in
                    tuple.appendAttribute(Int(CTA_TUPLE_IP.rawValue) | Int(NLA_F_NESTED)) {
                        $0.appendAttribute(Int(CTA_IP_V4_SRC.rawValue), address.networkBytes)
                    }
                    tuple.appendAttribute(Int(CTA_TUPLE_PROTO.rawValue) | Int(NLA_F_NESTED)) {
                        $0.appendAttribute(Int(CTA_PROTO_NUM.rawValue), [transport.number])
                    }
                }
                flags(Int(CTA_FILTER_REPLY_FLAGS.rawValue), Flag.source | Flag.transport, &message)
            }
        }

        private func flags(_ direction: Int, _ flags: UInt32, _ message: inout NetlinkMessage) {
            message.append(Int(CTA_FILTER.rawValue) | Int(NLA_F_NESTED)) { $0.appendAttribute(direction, flags.bytes) }
        }

        /// Which parts of a tuple are to be compared (`CTA_FILTER_F_…` in net/netfilter/nf_conntrack_netlink.c; no header shows them).
        private enum Flag {
            static let source: UInt32 = 1 << 0
            static let destination: UInt32 = 1 << 1
            static let transport: UInt32 = 1 << 3
            static let destinationPort: UInt32 = 1 << 5
        }
    }
}
