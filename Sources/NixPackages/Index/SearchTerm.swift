/// One word of a search, matched in any case of ASCII letters.
struct SearchTerm {
    /// Where a word was found, the best place first.
    enum Place: UInt8, Comparable {
        case wholeName, startOfName, wordOfName, insideName, wordOfSummary, startOfWordOfSummary, insideSummary

        static func < (lhs: Place, rhs: Place) -> Bool { lhs.rawValue < rhs.rawValue }
    }

    /// In lower case; at least one byte.
    private let bytes: [UInt8]
    private let first: UInt8

    /// The words of a query's text.
    static func terms(of query: String) -> [SearchTerm] {
        query.utf8.split { $0 <= 0x20 }.map { SearchTerm(bytes: $0.map(\.inLowerCase)) }
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
        first = bytes[0]
    }

    /// The best place of the term in a line: `name` and `summary` are ranges of `text`. nil: it is in neither.
    func place(in text: UnsafeRawBufferPointer, name: Range<Int>, summary: Range<Int>) -> Place? {
        if let found = bestMatch(in: text, range: name) {
            if found.startsAt == name.lowerBound { return found.isWhole && found.endsAt == name.upperBound ? .wholeName : .startOfName }
            return found.startsWord ? .wordOfName : .insideName
        }
        guard let found = bestMatch(in: text, range: summary) else { return nil }
        return found.isWhole ? .wordOfSummary : found.startsWord ? .startOfWordOfSummary : .insideSummary
    }

    private struct Match {
        var startsAt: Int
        var endsAt: Int
        var startsWord: Bool
        /// Starts and ends one.
        var isWhole: Bool
    }

    /// The first match that is a whole word, else the first that starts one, else the first.
    private func bestMatch(in text: UnsafeRawBufferPointer, range: Range<Int>) -> Match? {
        var best: Match?
        var offset = range.lowerBound
        let last = range.upperBound - bytes.count
        while offset <= last {
            guard text[offset].inLowerCase == first, matches(text, at: offset) else {
                offset += 1
                continue
            }
            let end = offset + bytes.count
            let starts = offset == range.lowerBound || !text[offset - 1].isLetterOrDigit
            let match = Match(
                startsAt: offset, endsAt: end, startsWord: starts, isWhole: starts && (end == range.upperBound || !text[end].isLetterOrDigit))
            if match.isWhole { return match }
            if best == nil || (match.startsWord && best?.startsWord == false) { best = match }
            offset += 1
        }
        return best
    }

    private func matches(_ text: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        var index = 1
        while index < bytes.count {
            guard text[offset + index].inLowerCase == bytes[index] else { return false }
            index += 1
        }
        return true
    }
}

extension UInt8 {
    /// Of ASCII; other bytes stay.
    var inLowerCase: UInt8 { self &- 65 < 26 ? self | 0x20 : self }
}
