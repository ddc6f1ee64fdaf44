import Glibc

/// Text of lines whose first field, up to a tab, is a key; sorted by the bytes of the keys. Looked up by halving, without reading the rest.
struct SortedLines {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")

    /// Whole lines, each with its line feed.
    let text: UnsafeRawBufferPointer

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    /// Whether the text was cut off in the middle of a line.
    var isCutOff: Bool { text.isEmpty ? false : text[text.count - 1] != Self.lineFeed }

    /// The lines with the key `key`, in the text's order, each without its line feed.
    func lines(withKey key: String) -> [Substring] {
        let key = Array(key.utf8)
        var found: [Substring] = []
        var start = firstLine(notBefore: key)
        while start < text.count {
            let end = endOfLine(from: start)
            guard compare(lineAt: start, end: end, with: key) == 0 else { break }
            found.append(Substring(decoding: text[start..<end], as: UTF8.self))
            start = end + 1
        }
        return found
    }

    /// Calls `body` with the offset of each line and that of its line feed.
    func forEach(_ body: (_ start: Int, _ end: Int) -> Void) {
        var start = 0
        while start < text.count {
            let end = endOfLine(from: start)
            body(start, end)
            start = end + 1
        }
    }

    /// Of the line feed, or of the end of the text.
    func endOfLine(from start: Int) -> Int { position(of: Self.lineFeed, from: start, to: text.count) ?? text.count }

    /// The offset of the first `byte` in `start..<end`.
    func position(of byte: UInt8, from start: Int, to end: Int) -> Int? {
        guard start < end, let base = text.baseAddress, let found = memchr(base + start, Int32(byte), end - start) else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// The offset of the first line whose key is not less than `key`.
    private func firstLine(notBefore key: [UInt8]) -> Int {
        var low = 0
        var high = text.count
        while low < high {
            let middle = low + (high - low) / 2
            let start = startOfLine(containing: middle, notBefore: low)
            let end = endOfLine(from: start)
            if compare(lineAt: start, end: end, with: key) < 0 {
                low = min(end + 1, text.count)
            } else {
                high = start
            }
        }
        return low
    }

    private func startOfLine(containing offset: Int, notBefore low: Int) -> Int {
        var start = offset
        while start > low, text[start - 1] != Self.lineFeed { start -= 1 }
        return start
    }

    /// Negative, 0 or positive, as the key of the line is less than, equal to or greater than `key`.
    private func compare(lineAt start: Int, end: Int, with key: [UInt8]) -> Int {
        let length = (position(of: Self.tab, from: start, to: end) ?? end) - start
        let order = key.withUnsafeBytes { key in
            length == 0 || key.isEmpty ? 0 : memcmp(text.baseAddress! + start, key.baseAddress!, min(length, key.count))
        }
        return order != 0 ? Int(order) : length - key.count
    }
}
