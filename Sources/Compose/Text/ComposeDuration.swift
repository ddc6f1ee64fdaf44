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

extension ComposeDuration {
    /// `1h30m0s` as Go writes it: hours, minutes and seconds, the smaller ones also where they are nothing; milliseconds and less by themselves.
    static func text(_ seconds: Double) -> String {
        let micros = Int((seconds * 1e6).rounded())
        if micros > 0, micros < 1_000_000 { return micros % 1000 == 0 ? "\(micros / 1000)ms" : "\(micros)us" }
        let (whole, fraction) = micros.quotientAndRemainder(dividingBy: 1_000_000)
        var digits = fraction == 0 ? "" : String("\(1_000_000 + fraction)".dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        let last = "\(whole % 60)\(digits.isEmpty ? "" : ".\(digits)")s"
        if whole < 60 { return last }
        if whole < 3600 { return "\(whole / 60)m\(last)" }
        return "\(whole / 3600)h\(whole / 60 % 60)m\(last)"
    }
}
