/// The order of versions as Nix sees it (Nix manual, `builtins.compareVersions`).
struct NixVersionOrder: Comparable {
    private enum Part: Hashable {
        case number([UInt8])
        case word(String)
    }

    private let parts: [Part]

    init(_ version: String) {
        var parts: [Part] = []
        var rest = Array(version.utf8)[...]
        while let first = rest.first {
            if first == UInt8(ascii: ".") || first == UInt8(ascii: "-") {
                rest.removeFirst()
            } else if first.isDigit {
                let digits = rest.prefix { $0.isDigit }
                rest = rest.dropFirst(digits.count)
                parts.append(.number(Array(digits.drop { $0 == UInt8(ascii: "0") })))
            } else {
                let letters = rest.prefix { !$0.isDigit && $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "-") }
                rest = rest.dropFirst(letters.count)
                parts.append(.word(String(decoding: letters, as: UTF8.self)))
            }
        }
        self.parts = parts
    }

    static func < (lhs: NixVersionOrder, rhs: NixVersionOrder) -> Bool {
        for index in 0..<max(lhs.parts.count, rhs.parts.count) {
            let one = index < lhs.parts.count ? lhs.parts[index] : nil
            let other = index < rhs.parts.count ? rhs.parts[index] : nil
            if precedes(one, other) { return true }
            if precedes(other, one) { return false }
        }
        return false
    }

    static func == (lhs: NixVersionOrder, rhs: NixVersionOrder) -> Bool { !(lhs < rhs) && !(rhs < lhs) }

    /// nil: the version has ended.
    private static func precedes(_ one: Part?, _ other: Part?) -> Bool {
        switch (one, other) {
        case (.number(let one), .number(let other)):
            one.count == other.count ? one.lexicographicallyPrecedes(other) : one.count < other.count
        case (nil, .number): true
        case (.word("pre"), .word("pre")): false
        case (.word("pre"), _): true
        case (_, .word("pre")): false
        case (.word(let one), .word(let other)): one < other
        case (nil, .word): true
        case (.word, .number): true
        default: false
        }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (48...57).contains(self) }
}
