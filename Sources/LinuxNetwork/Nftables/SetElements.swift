/// The elements of some of a table's sets and maps, in nft's notation. Pure.
struct SetElements: Sendable, Equatable {
    /// Packets and bytes that an element matched.
    struct Counter: Sendable, Hashable {
        var packets = 0
        var bytes = 0
    }

    /// By the name of their set or map, then by key (`198.18.0.1 . tcp . 80`): the value, empty in a set.
    private(set) var values: [String: [String: String]]
    /// Elements that the kernel will remove by itself, as `values`. They count for packets, not as elements.
    private(set) var leaving: [String: [String: String]] = [:]
    private(set) var counters: [String: [String: Counter]] = [:]

    /// Empty sets and maps of these names.
    init(_ names: [String]) { values = Dictionary(uniqueKeysWithValues: names.map { ($0, [:]) }) }

    subscript(name: String, key: String) -> String? {
        get { values[name]?[key] }
        set { values[name, default: [:]][key] = newValue }
    }

    /// Whether nothing is there, not even what is leaving.
    var isEmpty: Bool { values.values.allSatisfy(\.isEmpty) && leaving.values.allSatisfy(\.isEmpty) }

    func keys(of name: String) -> Set<String> { Set((values[name] ?? [:]).keys) }

    /// Only values count: two that hold the same elements are the same.
    static func == (lhs: SetElements, rhs: SetElements) -> Bool { lhs.values == rhs.values }
}

// MARK: - Changes

extension SetElements {
    /// The commands that lead from `current` to these elements, for one transaction.
    func changes(from current: SetElements, table: String) -> [String] {
        additions(to: current, table: table) + removals(from: current, table: table)
    }

    /// The commands that add what `current` lacks and replace what it leads elsewhere.
    func additions(to current: SetElements, table: String) -> [String] {
        values.keys.sorted().flatMap { name -> [String] in
            let (wanted, present) = (values[name] ?? [:], current.values[name] ?? [:])
            let new = wanted.filter { present[$0.key] != $0.value }
            guard !new.isEmpty else { return [] }
            let add = "add element ip \(table) \(name) { \(new.sorted { $0.key < $1.key }.map(Self.element).joined(separator: ", ")) }"
            // Replaced by deleting and adding in one transaction. An element that is leaving may be gone any moment, and deleting what is
            // not there fails: so it is added before, as it was, which does nothing while it is there.
            let leaving = (current.leaving[name] ?? [:]).filter { new[$0.key] != nil }
            let replaced = Set(leaving.keys).union(new.keys.filter { present[$0] != nil }).sorted()
            guard !replaced.isEmpty else { return [add] }
            let again = leaving.isEmpty ? [] : ["add element ip \(table) \(name) { \(leaving.map(Self.element).sorted().joined(separator: ", ")) }"]
            return again + ["delete element ip \(table) \(name) { \(replaced.joined(separator: ", ")) }", add]
        }
    }

    /// The commands that remove what these elements lack. Those that `grace` names stay for so many seconds, and go by themselves.
    func removals(from current: SetElements, table: String, grace: (seconds: Int, to: (_ name: String, _ key: String) -> Bool)? = nil) -> [String] {
        values.keys.sorted().flatMap { name -> [String] in
            let present = current.values[name] ?? [:]
            let gone = present.filter { values[name]?[$0.key] == nil }.sorted { $0.key < $1.key }
            guard !gone.isEmpty else { return [] }
            var lines = ["delete element ip \(table) \(name) { \(gone.map(\.key).joined(separator: ", ")) }"]
            if let grace {
                let staying = gone.filter { grace.to(name, $0.key) }.map { Self.element("\($0.key) timeout \(grace.seconds)s", $0.value) }
                if !staying.isEmpty { lines.append("add element ip \(table) \(name) { \(staying.joined(separator: ", ")) }") }
            }
            return lines
        }
    }

    private static func element(_ key: String, _ value: String) -> String { value.isEmpty ? key : "\(key) : \(value)" }
}

// MARK: - Reading

extension SetElements {
    /// Reads the sets and maps of these names from what `list` printed: one element to a line or many, with or without what belongs to each.
    init(names: [String], listing: String) {
        self.init(names)
        for name in names {
            for element in Self.texts(of: name, in: listing) { read(element, into: name) }
        }
    }

    /// `KEY [counter packets N bytes N] [timeout … expires …] [: VALUE]`
    private mutating func read(_ text: Substring, into name: String) {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        let colon = words.firstIndex(of: ":") ?? words.endIndex
        let key = Self.concatenation(words[..<colon])
        guard !key.isEmpty else { return }
        let attributes = words[..<colon]
        let value = colon < words.endIndex ? Self.concatenation(words[(colon + 1)...]) : ""
        if attributes.contains("timeout") || attributes.contains("expires") {
            leaving[name, default: [:]][key] = value
            return
        }
        values[name, default: [:]][key] = value
        if let packets = Self.number(after: "packets", in: attributes), let bytes = Self.number(after: "bytes", in: attributes) {
            counters[name, default: [:]][key] = Counter(packets: packets, bytes: bytes)
        }
    }

    /// The words up to the first that no dot joins to the one before.
    private static func concatenation(_ words: ArraySlice<String>) -> String {
        var parts: [String] = []
        var rest = words
        while let word = rest.popFirst() {
            parts.append(canonical(word))
            guard rest.first == "." else { break }
            rest = rest.dropFirst()
        }
        return parts.joined(separator: " . ")
    }

    /// Marks as `0x…` of eight digits, whichever way they were printed; everything else as it is.
    private static func canonical(_ word: String) -> String {
        guard word.hasPrefix("0x"), let number = UInt32(word.dropFirst(2), radix: 16) else { return word }
        return mark(number)
    }

    /// A packet or connection mark as nft prints it.
    static func mark(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return "0x" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }

    private static func number(after word: String, in words: ArraySlice<String>) -> Int? {
        words.firstIndex(of: word).flatMap { $0 + 1 < words.endIndex ? Int(words[$0 + 1]) : nil }
    }

    private static func texts(of name: String, in listing: String) -> [Substring] {
        for keyword in ["map", "set"] {
            guard let start = listing.firstRange(of: "\t\(keyword) \(name) {\n") else { continue }
            // The elements are the only braces within.
            let body = listing[start.upperBound...]
            guard let close = body.firstIndex(of: "}"), let open = body[..<close].firstIndex(of: "{") else { return [] }
            return body[body.index(after: open)..<close].split(separator: ",")
        }
        return []
    }
}
