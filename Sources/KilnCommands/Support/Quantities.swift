internal import KilnModel

/// What people write for amounts.
enum Quantity {
    /// `1.5` → 1500. More than a thousandth is refused rather than rounded.
    static func milliCPUs(_ text: String) throws(KilnError) -> Int {
        guard let value = thousandths(text), (1...1_000_000).contains(value) else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 40))” is not a number of CPUs.", hint: "Write it like 2, 1.5 or 0.25.")
        }
        return value
    }

    /// `4G`, `512M`, `1.5GiB`, `1073741824` → bytes. Units are powers of 1024.
    static func bytes(_ text: String) throws(KilnError) -> Int {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let exponents = [
            "": 0, "b": 0, "k": 1, "kb": 1, "kib": 1, "ki": 1, "m": 2, "mb": 2, "mib": 2, "mi": 2, "g": 3, "gb": 3, "gib": 3, "gi": 3,
            "t": 4, "tb": 4, "tib": 4, "ti": 4,
        ]
        guard let value = thousandths(String(number)), let exponent = exponents[text.dropFirst(number.count).lowercased()] else {
            throw sizeRefusal(of: text)
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: 1 << (10 * exponent))
        guard !overflow, product >= 1000 else { throw sizeRefusal(of: text) }
        return product / 1000
    }

    /// `90`, `90s`, `10m`, `2h` → a duration.
    static func duration(_ text: String) throws(KilnError) -> Duration {
        let number = text.prefix { $0.isASCII && $0.isNumber }
        let units = ["": 1, "s": 1, "m": 60, "h": 3600]
        guard let value = Int(number), (1...1_000_000).contains(value), let unit = units[String(text.dropFirst(number.count))] else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 40))” is not a time.", hint: "Write it like 90s, 10m or 2h.")
        }
        return .seconds(value * unit)
    }

    private static func sizeRefusal(of text: String) -> KilnError {
        KilnError(.invalidValue, "“\(text.printable(limit: 40))” is not a size.", hint: "Write it like 512M, 4G or 1.5G.")
    }

    /// A plain decimal number with at most three decimals, times 1000.
    private static func thousandths(_ text: String) -> Int? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }) else { return nil }
        guard let whole = Int(parts[0]), whole < 1 << 50 else { return nil }
        guard parts.count == 2 else { return whole * 1000 }
        guard parts[1].count <= 3, let fraction = Int(parts[1] + String(repeating: "0", count: 3 - parts[1].count)) else { return nil }
        return whole * 1000 + fraction
    }
}
