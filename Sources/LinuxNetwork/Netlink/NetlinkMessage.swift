import CLinux
import KilnModel

/// One netlink message as bytes: a header of the protocol (`ifinfomsg`, `rtmsg`, …), then attributes. Pure.
///
/// Layout: netlink(7), rtnetlink(7). Everything is in host byte order and padded to four bytes.
struct NetlinkMessage: Sendable, Equatable {
    let type: UInt16
    var flags: UInt16
    private(set) var payload: [UInt8]

    /// - Parameter header: the protocol's fixed part, copied as it lies in memory.
    init<Header>(type: Int, flags: Int32 = 0, header: Header) {
        self.type = UInt16(type)
        self.flags = UInt16(flags | NLM_F_REQUEST)
        payload = withUnsafeBytes(of: header) { Array($0) }
    }

    mutating func append(_ type: Int, bytes: some Collection<UInt8>) {
        payload.appendAttribute(type, bytes)
    }

    mutating func append(_ type: Int, _ value: UInt32) { append(type, bytes: value.bytes) }

    /// A string with its final NUL.
    mutating func append(_ type: Int, _ text: String) { append(type, bytes: Array(text.utf8) + [0]) }

    /// An address in network byte order.
    mutating func append(_ type: Int, _ address: IPv4Address) { append(type, bytes: address.networkBytes) }

    mutating func append(_ type: Int, nested build: (inout [UInt8]) -> Void) {
        var inner: [UInt8] = []
        build(&inner)
        append(type, bytes: inner)
    }

    /// The whole message, ready to send.
    func encoded(sequence: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 + payload.count)
        bytes += UInt32(16 + payload.count).bytes
        bytes += type.bytes + flags.bytes
        bytes += sequence.bytes
        bytes += UInt32(0).bytes
        bytes += payload
        return bytes
    }
}

extension [UInt8] {
    /// Appends one attribute: length, type, value, padding (`struct rtattr`).
    mutating func appendAttribute(_ type: Int, _ value: some Collection<UInt8>) {
        self += UInt16(4 + value.count).bytes
        self += UInt16(type).bytes
        self += value
        while count % 4 != 0 { append(0) }
    }

    mutating func appendAttribute(_ type: Int, nested build: (inout [UInt8]) -> Void) {
        var inner: [UInt8] = []
        build(&inner)
        appendAttribute(type, inner)
    }
}

extension FixedWidthInteger {
    /// In host byte order.
    var bytes: [UInt8] { withUnsafeBytes(of: self) { Array($0) } }
}

extension IPv4Address {
    var networkBytes: [UInt8] { bits.bigEndian.bytes }
}
