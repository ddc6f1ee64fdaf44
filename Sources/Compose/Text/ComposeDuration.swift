/// A time span as Compose writes it: numbers with units, as in `1m30s`, `500ms` or `1.5h`.
enum ComposeDuration {
    private static let units: [(name: String, seconds: Double)] = [
        // Longer names first: `ms` must not be taken for minutes.
        ("us", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400),
    ]

    /// Seconds; nil when `text` is no such time span.
    static func seconds(_ text: String) -> Double? {
        var rest = Substring(text)
        var total = 0.0
        guard !rest.isEmpty, rest.utf8.count <= 64 else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard digits.first?.isNumber == true, digits.last?.isNumber == true, let number = Double(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            guard let unit = units.first(where: { rest.hasPrefix($0.name) }) else { return nil }
            rest = rest.dropFirst(unit.name.count)
            total += number * unit.seconds
        }
        // A year; more is a slip of the hand, and would overflow further down.
        return total <= 31_536_000 ? total : nil
    }
}
