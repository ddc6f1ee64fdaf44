public import KilnModel

/// The few lines of DNS (RFC 1035) that a probe needs: a question for A records and its answer. Pure.
public enum DNSMessage {
    public enum Failure: Error, Hashable, Sendable {
        /// Not a name DNS can carry.
        case invalidName
        /// Too short, out of bounds, or no answer to this question.
        case malformed
    }

    public struct Answer: Hashable, Sendable {
        /// 0: no error, 2: server failure, 3: no such name, 5: refused.
        public let code: UInt8
        public let addresses: [IPv4Address]
    }

    /// A recursive query for the A records of `name`.
    public static func query(_ name: String, id: UInt16) throws(Failure) -> [UInt8] {
        var bytes = [UInt8(id >> 8), UInt8(id & 255), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.utf8.count) else { throw .invalidName }
            bytes.append(UInt8(label.utf8.count))
            bytes += label.utf8
        }
        bytes += [0, 0, 1, 0, 1]
        guard bytes.count - 16 <= 255 else { throw .invalidName }
        return bytes
    }

    /// Reads the answer to the query with `id`. All A records count, whichever name of a CNAME chain they belong to.
    public static func answer(_ bytes: [UInt8], id: UInt16) throws(Failure) -> Answer {
        let flags = try number(bytes, 2)
        guard try number(bytes, 0) == id, flags & 0x8000 != 0 else { throw .malformed }
        var offset = 12
        for _ in 0..<(try number(bytes, 4)) { offset = try endOfName(bytes, offset) + 4 }
        var addresses: [IPv4Address] = []
        for _ in 0..<(try number(bytes, 6)) {
            offset = try endOfName(bytes, offset)
            let length = Int(try number(bytes, offset + 8))
            guard offset + 10 + length <= bytes.count else { throw .malformed }
            if try number(bytes, offset) == 1, try number(bytes, offset + 2) == 1, length == 4 {
                let data = bytes[(offset + 10)..<(offset + 14)]
                addresses.append(IPv4Address(bits: data.reduce(0) { $0 << 8 | UInt32($1) }))
            }
            offset += 10 + length
        }
        return Answer(code: UInt8(flags & 15), addresses: addresses)
    }

    private static func number(_ bytes: [UInt8], _ offset: Int) throws(Failure) -> UInt16 {
        guard offset + 2 <= bytes.count else { throw .malformed }
        return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }

    /// A name ends with an empty label or with a pointer to an earlier one, which need not be followed.
    private static func endOfName(_ bytes: [UInt8], _ start: Int) throws(Failure) -> Int {
        var offset = start
        while offset < bytes.count {
            let length = Int(bytes[offset])
            if length == 0 { return offset + 1 }
            if length & 0xc0 == 0xc0 { return offset + 2 }
            guard length < 64 else { throw .malformed }
            offset += 1 + length
        }
        throw .malformed
    }
}
