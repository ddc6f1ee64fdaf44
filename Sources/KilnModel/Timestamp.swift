/// A point in time, to the microsecond. In JSON and in text it is RFC 3339 in UTC, always of the same length: `2026-02-03T10:00:00.123456Z`.
public struct Timestamp: Hashable, Sendable, Comparable {
    /// Since 1970-01-01T00:00:00Z. Whole, so that a time is the same after it was written and read.
    public let microseconds: Int64

    /// What four digits of a year can say.
    private static let range: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999

    private init(microseconds: Int64) { self.microseconds = min(max(microseconds, Self.range.lowerBound), Self.range.upperBound) }

    /// - Parameter seconds: Unix time.
    public init(seconds: Double) {
        let bounds = (Double(Self.range.lowerBound), Double(Self.range.upperBound))
        self.init(microseconds: seconds.isNaN ? 0 : Int64(min(max((seconds * 1e6).rounded(), bounds.0), bounds.1)))
    }

    /// Unix time.
    public var seconds: Double { Double(microseconds) / 1e6 }

    public static func < (lhs: Timestamp, rhs: Timestamp) -> Bool { lhs.microseconds < rhs.microseconds }

    /// Seconds from one to the other.
    public static func - (lhs: Timestamp, rhs: Timestamp) -> Double { Double(lhs.microseconds - rhs.microseconds) / 1e6 }

    public static func + (lhs: Timestamp, seconds: Double) -> Timestamp { Timestamp(seconds: lhs.seconds + seconds) }
    public static func - (lhs: Timestamp, seconds: Double) -> Timestamp { lhs + -seconds }
}

/// Unix time in seconds.
extension Timestamp: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    public init(integerLiteral seconds: Int64) { self.init(microseconds: seconds * 1_000_000) }
    public init(floatLiteral seconds: Double) { self.init(seconds: seconds) }
}

extension Timestamp {
    /// Parses an RFC 3339 time with any offset, such as `2026-02-03T10:00:00.123456789+01:00`; nil when `text` is none.
    public init?(utf8 text: some Sequence<UInt8>) {
        let bytes = Array(text)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[range] {
                guard Self.isDigit(byte) else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            return value
        }
        func has(_ characters: StaticString, _ index: Int) -> Bool {
            index < bytes.count && characters.withUTF8Buffer { $0.contains(bytes[index]) }
        }
        guard let year = number(0..<4), has("-", 4), let month = number(5..<7), has("-", 7), let day = number(8..<10), has("Tt ", 10),
            let hour = number(11..<13), has(":", 13), let minute = number(14..<16), has(":", 16), let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var end = 19
        var fraction = 0
        if has(".", end) {
            let digits = bytes[(end + 1)...].prefix(while: Self.isDigit)
            guard !digits.isEmpty else { return nil }
            for place in 0..<6 { fraction = fraction * 10 + (place < digits.count ? Int(digits[digits.startIndex + place] - UInt8(ascii: "0")) : 0) }
            end = digits.endIndex
        }
        var offset = 0
        if has("+-", end) {
            guard let hours = number((end + 1)..<(end + 3)), has(":", end + 3), let minutes = number((end + 4)..<(end + 6)) else { return nil }
            offset = (hours * 60 + minutes) * (has("-", end) ? -60 : 60)
            end += 6
        } else {
            guard has("Zz", end) else { return nil }
            end += 1
        }
        guard end == bytes.count else { return nil }
        let seconds = Self.days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
        self.init(microseconds: Int64(seconds * 1_000_000 + fraction))
    }

    /// - Throws: `invalid-value` when it is no RFC 3339 time.
    public init(_ text: String) throws(KilnError) {
        guard let time = Timestamp(utf8: text.utf8) else {
            throw KilnError(.invalidValue, "“\(text.printable(limit: 40))” is not a time.", hint: "Write it like 2026-02-03T10:00:00Z.")
        }
        self = time
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March, so that the leap day is their last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let years = month > 2 ? year : year - 1
        let months = month > 2 ? month - 3 : month + 9
        return years * 365 + years / 4 - years / 100 + years / 400 + (months * 153 + 2) / 5 + day - 1 - 719_468
    }

    /// What `days` counts, as a date.
    private static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
        // The calendar repeats itself every 400 years, which are 146,097 days.
        let days = days + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let months = (5 * dayOfYear + 2) / 153
        let month = months < 10 ? months + 3 : months - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * months + 2) / 5 + 1)
    }

    /// RFC 3339, in UTC, with so many digits of the second's fraction, 6 at most.
    public func text(fraction digits: Int) -> String {
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let (second, fraction) = rest < 0 ? (Int(seconds) - 1, Int(rest) + 1_000_000) : (Int(seconds), Int(rest))
        let day = second >= 0 ? second / 86400 : (second - 86399) / 86400
        let (year, month, date) = Self.date(day)
        let clock = second - day * 86400
        let time = [clock / 3600, clock / 60 % 60, clock % 60].map { Self.padded($0, 2) }.joined(separator: ":")
        let end = digits > 0 ? "." + Self.padded(fraction, 6).prefix(digits) : ""
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(date, 2))T\(time)\(end)Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}

extension Timestamp: CustomStringConvertible {
    public var description: String { text(fraction: 6) }
}

extension Timestamp: Codable {
    /// Kiln once wrote Unix time in seconds; audit records, which nothing may change, and containers' notes still have it.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) { try self.init(text) } else { self.init(seconds: try container.decode(Double.self)) }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
