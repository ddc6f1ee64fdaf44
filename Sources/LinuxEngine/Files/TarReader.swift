import KilnModel

/// Takes a tar apart as it goes by, in pieces of any size. What it says of paths is what the tar says: nothing is resolved here.
struct TarReader {
    struct Member: Equatable {
        enum Kind: Equatable {
            case file, folder, symbolicLink
            /// Hard links, devices, pipes.
            case other
        }

        var path: String
        var kind: Kind
        /// Permission bits, setuid and its like included.
        var mode: Int
        var size: Int
        /// Of a link.
        var target: String

        /// The path's parts; `.` and repeated slashes say nothing.
        var components: [String] { path.split(separator: "/").map(String.init).filter { $0 != "." } }
    }

    enum Event {
        case member(Member)
        /// Of the member before.
        case content(ArraySlice<UInt8>)
        /// The member's content is complete.
        case end
    }

    /// Largest member that describes the next one.
    private static let maximumDescription = 1 << 20

    private var header: [UInt8] = []
    /// Bytes of content and of padding still to come.
    private var content = 0
    private var padding = 0
    /// Content being kept, of a member that describes the next one.
    private var description: (type: UInt8, bytes: [UInt8])?
    private var longPath: String?
    private var longTarget: String?
    private var longSize: Int?
    private(set) var isEnded = false

    /// Whether the tar may end here.
    var isComplete: Bool { header.isEmpty && content == 0 && padding == 0 && description == nil }

    /// - Throws: `KilnError` with `invalid-build-context` when this is no tar; what `handle` throws.
    mutating func append(_ bytes: [UInt8], _ handle: (Event) throws(KilnError) -> Void) throws(KilnError) {
        var bytes = bytes[...]
        while !bytes.isEmpty {
            if content > 0 {
                let piece = bytes.prefix(content)
                content -= piece.count
                bytes = bytes.dropFirst(piece.count)
                if description != nil {
                    description?.bytes.append(contentsOf: piece)
                    if content == 0 { try finishDescription() }
                } else {
                    try handle(.content(piece))
                    if content == 0 { try handle(.end) }
                }
            } else if padding > 0 {
                let count = min(padding, bytes.count)
                padding -= count
                bytes = bytes.dropFirst(count)
            } else {
                let count = min(512 - header.count, bytes.count)
                header.append(contentsOf: bytes.prefix(count))
                bytes = bytes.dropFirst(count)
                guard header.count == 512 else { return }
                try takeHeader(handle)
                header.removeAll(keepingCapacity: true)
            }
        }
    }

    /// Fields as in POSIX.1-2017 `pax`, "ustar Interchange Format", and GNU tar's long names.
    private mutating func takeHeader(_ handle: (Event) throws(KilnError) -> Void) throws(KilnError) {
        // Empty blocks end an archive; some writers pad it with more.
        guard header.contains(where: { $0 != 0 }) else {
            isEnded = true
            return
        }
        guard !isEnded else { throw Self.notTar }
        let type = header[156]
        var size = try number(124..<136)
        if [UInt8(ascii: "x"), UInt8(ascii: "L"), UInt8(ascii: "K"), UInt8(ascii: "g")].contains(type) {
            guard size <= Self.maximumDescription else { throw Self.notTar }
            description = (type, [])
            expect(size)
            if size == 0 { try finishDescription() }
            return
        }
        size = longSize ?? size
        let prefix = header[257..<262].elementsEqual("ustar".utf8) ? text(345..<500) : ""
        let name = prefix.isEmpty ? text(0..<100) : "\(prefix)/\(text(0..<100))"
        let kind: Member.Kind =
            switch type {
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
            case UInt8(ascii: "5"): .folder
            case UInt8(ascii: "2"): .symbolicLink
            default: .other
            }
        let member = Member(path: longPath ?? name, kind: kind, mode: try number(100..<108), size: size, target: longTarget ?? text(157..<257))
        (longPath, longTarget, longSize) = (nil, nil, nil)
        expect(size)
        try handle(.member(member))
        if size == 0 { try handle(.end) }
    }

    private mutating func expect(_ size: Int) {
        content = size
        padding = (512 - size % 512) % 512
    }

    private mutating func finishDescription() throws(KilnError) {
        guard let (type, bytes) = description else { return }
        description = nil
        let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        switch type {
        case UInt8(ascii: "L"): try set(&longPath, text)
        case UInt8(ascii: "K"): try set(&longTarget, text)
        case UInt8(ascii: "x"):
            for (key, value) in Self.records(bytes[...]) {
                switch key {
                case "path": try set(&longPath, value)
                case "linkpath": try set(&longTarget, value)
                case "size": longSize = Int(value).flatMap { (0..<(1 << 50)).contains($0) ? $0 : nil }
                default: break
                }
            }
        default: break
        }
    }

    /// Readers disagree on which of two names counts, so a member has one.
    private func set(_ place: inout String?, _ text: String) throws(KilnError) {
        guard place == nil else { throw Self.notTar }
        place = text
    }

    /// `LENGTH KEY=VALUE\n`, the length counting itself.
    private static func records(_ content: ArraySlice<UInt8>) -> [(key: String, value: String)] {
        var content = content
        var found: [(String, String)] = []
        while let space = content.firstIndex(of: UInt8(ascii: " ")),
            let length = Int(String(decoding: content[..<space], as: UTF8.self)), length > space - content.startIndex, length <= content.count
        {
            let record = String(decoding: content[(space + 1)..<(content.startIndex + length)].dropLast(), as: UTF8.self)
            if let cut = record.firstIndex(of: "=") { found.append((String(record[..<cut]), String(record[record.index(after: cut)...]))) }
            content = content.dropFirst(length)
        }
        return found
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: header[range].prefix { $0 != 0 }, as: UTF8.self) }

    private func number(_ range: Range<Int>) throws(KilnError) -> Int {
        if header[range.lowerBound] & 0x80 != 0 {
            // GNU's base 256, for members of 8 GiB and more.
            let value = header[range].dropFirst().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard value < 1 << 50 else { throw Self.notTar }
            return Int(value)
        }
        let digits = text(range).filter { $0 != " " }
        guard let value = digits.isEmpty ? 0 : Int(digits, radix: 8), value >= 0 else { throw Self.notTar }
        return value
    }

    static let notTar = KilnError(.invalidBuildContext, "What was sent is not a tar.")
}
