/// The rules of a `.dockerignore`: the last rule that matches a path, or a folder above it, decides.
struct IgnoreFile: Equatable {
    private struct Rule: Equatable {
        var includes: Bool
        /// Path components; `**` stands for any number of them.
        var pattern: [[Character]]
    }

    private var rules: [Rule] = []

    /// - Parameter text: one rule a line; `#` begins a comment, `!` takes back what earlier rules left out.
    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            var rule = line.trimmingSpaces
            let includes = rule.hasPrefix("!")
            if includes { rule = rule.dropFirst().trimmingSpaces }
            var parts: [[Character]] = []
            for part in rule.split(separator: "/") where part != "." {
                if part == "..", !parts.isEmpty { parts.removeLast() } else if part != ".." { parts.append(Array(part)) }
            }
            // An empty pattern (`/`, `.`) would leave out everything; it is taken to say nothing.
            if !parts.isEmpty { rules.append(Rule(includes: includes, pattern: parts)) }
        }
    }

    var isEmpty: Bool { rules.isEmpty }

    /// Whether something below an ignored folder may be taken back.
    var hasExceptions: Bool { rules.contains(where: \.includes) }

    /// Whether `path`, relative to the context, stays behind.
    func ignores(_ path: String) -> Bool {
        let parts = path.split(separator: "/").map(Array.init)
        var ignored = false
        for rule in rules where rule.includes == ignored {
            let matches = (1...max(1, parts.count)).contains { Self.match(rule.pattern[...], parts.prefix($0)) }
            if matches { ignored = !rule.includes }
        }
        return ignored
    }

    private static func match(_ pattern: ArraySlice<[Character]>, _ path: ArraySlice<[Character]>) -> Bool {
        guard let first = pattern.first else { return path.isEmpty }
        if first == ["*", "*"] {
            let rest = pattern.dropFirst()
            return (path.startIndex...path.endIndex).contains { match(rest, path[$0...]) }
        }
        guard let component = path.first, match(first[...], component[...]) else { return false }
        return match(pattern.dropFirst(), path.dropFirst())
    }

    /// One component: `*`, `?`, `[a-z]`, `[^a]` and `\` as in Go's `filepath.Match`, which the format refers to.
    private static func match(_ pattern: ArraySlice<Character>, _ text: ArraySlice<Character>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        switch first {
        case "*":
            return (text.startIndex...text.endIndex).contains { match(rest, text[$0...]) }
        case "?":
            return !text.isEmpty && match(rest, text.dropFirst())
        case "[":
            guard let character = text.first, let set = CharacterSet(rest) else { return false }
            return set.contains(character) && match(set.rest, text.dropFirst())
        case "\\" where !rest.isEmpty:
            return text.first == rest.first && match(rest.dropFirst(), text.dropFirst())
        default:
            return text.first == first && match(rest, text.dropFirst())
        }
    }

    /// `[…]` of a pattern.
    private struct CharacterSet {
        private var ranges: [ClosedRange<Character>] = []
        private var isNegated = false
        /// The pattern after the closing bracket.
        private(set) var rest: ArraySlice<Character>

        /// - Parameter pattern: begins after the opening bracket. nil when it is never closed.
        init?(_ pattern: ArraySlice<Character>) {
            rest = pattern
            if rest.first == "^" || rest.first == "!" {
                isNegated = true
                rest = rest.dropFirst()
            }
            while let low = rest.popFirst() {
                if low == "]", !ranges.isEmpty { return }
                var high = low
                if rest.first == "-", let next = rest.dropFirst().first, next != "]" {
                    high = next
                    rest = rest.dropFirst(2)
                }
                guard low <= high else { return nil }
                ranges.append(low...high)
            }
            return nil
        }

        func contains(_ character: Character) -> Bool { ranges.contains { $0.contains(character) } != isNegated }
    }
}

extension Substring {
    var trimmingSpaces: Substring {
        let start = drop { $0 == " " || $0 == "\t" }
        let end = start.lastIndex { $0 != " " && $0 != "\t" }
        return end.map { start[...$0] } ?? ""
    }
}
