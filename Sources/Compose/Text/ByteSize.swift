/// A number of bytes as Compose writes it: `64m`, `1.5gb`, `512KiB`, `1048576`; every unit is a power of 1024.
enum ByteSize {
    private static let units: [Character: Double] = ["k": 0x1p10, "m": 0x1p20, "g": 0x1p30, "t": 0x1p40]

    /// nil when `text` is no such number, or 2⁵⁰ and more.
    static func bytes(_ text: String) -> Int? {
        let text = text.lowercased()
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard digits.first?.isNumber == true, digits.last?.isNumber == true, digits.utf8.count <= 20, let number = Double(digits) else { return nil }
        var rest = text.dropFirst(digits.count)
        while rest.first == " " { rest.removeFirst() }
        var factor = 1.0
        if let first = rest.first, let unit = units[first] {
            factor = unit
            rest.removeFirst()
            if rest.first == "i" { rest.removeFirst() }
        }
        guard rest.isEmpty || rest == "b", number * factor < 0x1p50 else { return nil }
        return Int(number * factor)
    }
}
