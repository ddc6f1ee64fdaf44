/// A version of a Debian package, `[EPOCH:]UPSTREAM[-REVISION]`, in the order of Debian Policy 5.6.12.
struct DebianVersion: Sendable, Hashable, Comparable {
    let text: String

    init(_ text: String) { self.text = text }

    /// Without the epoch, which only repairs mistakes in numbering: what people know a version by.
    var withoutEpoch: Substring { text.firstIndex(of: ":").map { text[text.index(after: $0)...] } ?? text[...] }

    private var epoch: Int { text.firstIndex(of: ":").flatMap { Int(text[..<$0]) } ?? 0 }

    /// The upstream version and the revision.
    private var parts: (ArraySlice<UInt8>, ArraySlice<UInt8>) {
        let bytes = Array(withoutEpoch.utf8)
        guard let dash = bytes.lastIndex(of: UInt8(ascii: "-")) else { return (bytes[...], []) }
        return (bytes[..<dash], bytes[(dash + 1)...])
    }

    static func == (lhs: DebianVersion, rhs: DebianVersion) -> Bool { lhs.text == rhs.text || order(lhs, rhs) == 0 }

    static func < (lhs: DebianVersion, rhs: DebianVersion) -> Bool { order(lhs, rhs) < 0 }

    func hash(into hasher: inout Hasher) { hasher.combine(epoch) }

    private static func order(_ lhs: DebianVersion, _ rhs: DebianVersion) -> Int {
        if lhs.epoch != rhs.epoch { return lhs.epoch - rhs.epoch }
        let (left, right) = (lhs.parts, rhs.parts)
        let upstream = order(left.0, right.0)
        return upstream != 0 ? upstream : order(left.1, right.1)
    }

    /// Turns of non-digits and digits: the first by their letters, the second by their value.
    private static func order(_ lhs: ArraySlice<UInt8>, _ rhs: ArraySlice<UInt8>) -> Int {
        var (left, right) = (lhs, rhs)
        while !left.isEmpty || !right.isEmpty {
            while left.first.map({ !$0.isDigit }) == true || right.first.map({ !$0.isDigit }) == true {
                let difference = weight(left.first) - weight(right.first)
                if difference != 0 { return difference }
                if left.first.map({ !$0.isDigit }) == true { left.removeFirst() }
                if right.first.map({ !$0.isDigit }) == true { right.removeFirst() }
            }
            let (one, other) = (number(&left), number(&right))
            if one.count != other.count { return one.count - other.count }
            if let (a, b) = zip(one, other).first(where: { $0 != $1 }) { return Int(a) - Int(b) }
        }
        return 0
    }

    /// A tilde sorts before the end, letters before all else.
    private static func weight(_ byte: UInt8?) -> Int {
        guard let byte, !byte.isDigit else { return 0 }
        if byte == UInt8(ascii: "~") { return -1 }
        return byte.isLetterOrDigit ? Int(byte) : Int(byte) + 256
    }

    /// The digits at the front, without leading zeros.
    private static func number(_ bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = bytes.prefix { $0.isDigit }
        bytes = bytes.dropFirst(digits.count)
        return digits.drop { $0 == UInt8(ascii: "0") }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
