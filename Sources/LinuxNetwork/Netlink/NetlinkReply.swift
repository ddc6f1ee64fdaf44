import CLinux
import KilnModel

/// A message the kernel sent: its type and what follows the 16-byte header. Reading out of bounds gives nil, never a crash.
struct NetlinkReply: Sendable, Equatable {
    let type: UInt16
    let flags: UInt16
    let sequence: UInt32
    let payload: ArraySlice<UInt8>

    /// Cuts a datagram into its messages; a truncated tail is left out.
    static func parse(_ datagram: ArraySlice<UInt8>) -> [NetlinkReply] {
        var replies: [NetlinkReply] = []
        var rest = datagram
        while let length = rest.number(UInt32.self, at: 0).map(Int.init), length >= 16, length <= rest.count {
            let start = rest.startIndex
            replies.append(
                NetlinkReply(
                    type: rest.number(at: 4) ?? 0, flags: rest.number(at: 6) ?? 0, sequence: rest.number(at: 8) ?? 0,
                    payload: rest[(start + 16)..<(start + length)]))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return replies
    }

    /// The protocol's fixed part; nil when the message is too short for it.
    func header<Header: BitwiseCopyable>(as: Header.Type) -> Header? {
        guard payload.count >= MemoryLayout<Header>.size else { return nil }
        return payload.withUnsafeBytes { $0.loadUnaligned(as: Header.self) }
    }

    /// The attributes behind a fixed part of `headerSize` bytes.
    func attributes(after headerSize: Int) -> NetlinkAttributes {
        NetlinkAttributes(payload.dropFirst((headerSize + 3) & ~3))
    }
}

/// Attributes by type; the last one of a type counts.
struct NetlinkAttributes: Sendable {
    private var values: [Int: ArraySlice<UInt8>] = [:]

    init(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while let length = rest.number(UInt16.self, at: 0).map(Int.init), let type = rest.number(UInt16.self, at: 2), length >= 4,
            length <= rest.count
        {
            // The two top bits say "nested" and "network byte order" (NLA_TYPE_MASK).
            values[Int(type & 0x3fff)] = rest[(rest.startIndex + 4)..<(rest.startIndex + length)]
            rest = rest.dropFirst((length + 3) & ~3)
        }
    }

    func bytes(_ type: Int) -> ArraySlice<UInt8>? { values[type] }

    func nested(_ type: Int) -> NetlinkAttributes? { values[type].map(NetlinkAttributes.init) }

    /// In host byte order.
    func number<T: FixedWidthInteger & BitwiseCopyable>(_ type: Int, as: T.Type = T.self) -> T? { values[type]?.number(at: 0) }

    func text(_ type: Int) -> String? {
        values[type].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    func address(_ type: Int) -> IPv4Address? {
        number(type, as: UInt32.self).map { IPv4Address(bits: UInt32(bigEndian: $0)) }
    }
}

extension ArraySlice<UInt8> {
    /// The number `offset` bytes behind the start, in host byte order; nil when there are too few bytes.
    func number<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type = T.self, at offset: Int) -> T? {
        guard count >= offset + MemoryLayout<T>.size else { return nil }
        return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) }
    }
}
