import CLinux
import Glibc
import KilnModel

/// A message with what it is for, and which errors do not matter.
struct NetlinkRequest: Sendable {
    var message: NetlinkMessage
    /// Reads on from “Could not”.
    let action: String
    var tolerated: Set<CInt> = []

    /// The same request, content with these errors.
    func tolerating(_ numbers: CInt...) -> NetlinkRequest {
        var copy = self
        copy.tolerated.formUnion(numbers)
        return copy
    }
}

/// A netlink socket of one namespace: it stays there wherever it is used. Not for two threads at once.
final class NetlinkSocket {
    private let descriptor: Descriptor
    private let family: CInt
    private var sequence: UInt32 = 1
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    /// Opens a socket in the calling thread's namespace.
    /// - Parameter family: `NETLINK_ROUTE`, `NETLINK_NETFILTER` or `NETLINK_SOCK_DIAG`.
    init(family: CInt) throws {
        let number = socket(AF_NETLINK, CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue), family)
        guard number >= 0 else { throw SystemCallError.last("open a netlink socket") }
        descriptor = Descriptor(number)
        self.family = family
        // Acknowledgements come without a copy of the request, and with the kernel's own words for what is wrong.
        for option in [NETLINK_CAP_ACK, NETLINK_EXT_ACK] {
            var on: CInt = 1
            setsockopt(number, SOL_NETLINK, CInt(option), &on, socklen_t(MemoryLayout<CInt>.size))
        }
        // The kernel answers before send returns; this only keeps a lost answer from hanging the thread.
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { if family == NETLINK_NETFILTER { Lingering.release(descriptor) } }

    /// A socket for links, addresses and routes of `namespace`; nil: the calling thread's.
    static func route(in namespace: NetworkNamespace? = nil) throws -> NetlinkSocket {
        guard let namespace else { return try NetlinkSocket(family: NETLINK_ROUTE) }
        return try namespace.enter { try NetlinkSocket(family: NETLINK_ROUTE) }
    }

    /// Sends all requests, many to a datagram. The kernel carries each out in order, within a datagram the ones after a failed one too.
    /// - Throws: the first error that its request does not tolerate.
    func send(_ requests: [NetlinkRequest]) throws {
        // Bounded, so that neither the datagram nor its answers outgrow a socket buffer.
        for start in stride(from: 0, to: requests.count, by: 64) { try sendTogether(Array(requests[start..<min(start + 64, requests.count)])) }
    }

    private func sendTogether(_ requests: [NetlinkRequest]) throws {
        let first = sequence
        var datagram: [UInt8] = []
        for var request in requests {
            request.message.flags |= UInt16(NLM_F_ACK)
            datagram += request.message.encoded(sequence: sequence)
            sequence += 1
        }
        try transmit(datagram, action: requests[0].action)
        var outstanding = requests.count
        var failure: SystemCallError?
        while outstanding > 0 {
            for reply in try receive(action: requests[0].action) where reply.type == UInt16(NLMSG_ERROR) && reply.sequence >= first {
                outstanding -= 1
                let index = Int(reply.sequence - first)
                guard index < requests.count, let number = reply.errorNumber, number != 0 else { continue }
                if failure == nil, !requests[index].tolerated.contains(number) {
                    failure = SystemCallError(number: number, action: requests[index].action, detail: reply.errorText)
                }
            }
        }
        if let failure { throw failure }
    }

    /// Asks for one thing; nil when the kernel answers with one of the tolerated errors.
    func get(_ request: NetlinkRequest) throws -> NetlinkReply? {
        let wanted = sequence
        sequence += 1
        try transmit(request.message.encoded(sequence: wanted), action: request.action)
        while true {
            for reply in try receive(action: request.action) where reply.sequence == wanted {
                guard reply.type == UInt16(NLMSG_ERROR) else { return reply }
                let number = reply.errorNumber ?? EIO
                if request.tolerated.contains(number) { return nil }
                throw SystemCallError(number: number, action: request.action, detail: reply.errorText)
            }
        }
    }

    /// Asks for all of a kind. A dump that the kernel marks as interrupted by a change is asked for again.
    func dump(_ request: NetlinkRequest) throws -> [NetlinkReply] {
        var attempts = 0
        while true {
            let (replies, interrupted) = try dumpOnce(request)
            attempts += 1
            if !interrupted { return replies }
            guard attempts < 16 else { throw SystemCallError(number: EINTR, action: request.action) }
        }
    }

    private func dumpOnce(_ request: NetlinkRequest) throws -> (replies: [NetlinkReply], interrupted: Bool) {
        var message = request.message
        message.flags |= UInt16(NLM_F_DUMP)
        let wanted = sequence
        sequence += 1
        try transmit(message.encoded(sequence: wanted), action: request.action)
        var replies: [NetlinkReply] = []
        var interrupted = false
        while true {
            for reply in try receive(action: request.action) where reply.sequence == wanted {
                if reply.flags & UInt16(NLM_F_DUMP_INTR) != 0 { interrupted = true }
                switch CInt(reply.type) {
                case NLMSG_DONE:
                    if let number = reply.errorNumber, number > 0 { throw SystemCallError(number: number, action: request.action) }
                    return (replies, interrupted)
                case NLMSG_ERROR:
                    throw SystemCallError(number: reply.errorNumber ?? EIO, action: request.action, detail: reply.errorText)
                default: replies.append(reply)
                }
            }
        }
    }

    private func transmit(_ bytes: [UInt8], action: String) throws {
        guard Glibc.send(descriptor.number, bytes, bytes.count, 0) == bytes.count else { throw SystemCallError.last(action) }
    }

    private func receive(action: String) throws -> [NetlinkReply] {
        while true {
            let count = recv(descriptor.number, &buffer, buffer.count, CInt(MSG_TRUNC))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemCallError.last(action) }
            guard count <= buffer.count else { throw SystemCallError(number: EMSGSIZE, action: action) }
            return NetlinkReply.parse(buffer[..<count])
        }
    }
}

extension NetlinkReply {
    /// The positive errno of an `NLMSG_ERROR` or `NLMSG_DONE`.
    var errorNumber: CInt? { payload.number(Int32.self, at: 0).map { 0 &- $0 } }

    /// The kernel's explanation (with NETLINK_CAP_ACK: behind the errno and the header of the request).
    var errorText: String? {
        flags & UInt16(NLM_F_ACK_TLVS) == 0 ? nil : NetlinkAttributes(payload.dropFirst(20)).text(Int(NLMSGERR_ATTR_MSG.rawValue))
    }
}
