/// Times as Podman and its monitor write them. Pure.
enum UnixTime {
    /// Seconds since 1970 of an RFC 3339 time such as `2026-02-03T10:00:00.123456789+01:00`; nil when `text` is none.
    static func seconds(_ text: some Sequence<UInt8>) -> Double? {
        let bytes = Array(text)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[range] {
                guard isDigit(byte) else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var end = 19
        if end < bytes.count, bytes[end] == UInt8(ascii: ".") { end += 1 + bytes[(end + 1)...].prefix(while: isDigit).count }
        let fraction = Double("0" + String(decoding: bytes[19..<end], as: UTF8.self)) ?? 0
        var offset = 0
        if end < bytes.count, bytes[end] != UInt8(ascii: "Z") {
            guard let hours = number((end + 1)..<(end + 3)), let minutes = number((end + 4)..<(end + 6)) else { return nil }
            offset = (hours * 60 + minutes) * (bytes[end] == UInt8(ascii: "-") ? -60 : 60)
        }
        return Double(days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset) + fraction
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March, so that the leap day is their last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let years = month > 2 ? year : year - 1
        let months = month > 2 ? month - 3 : month + 9
        return years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day - 1 - 719_468
    }
}
