/// How far a log was read. Whoever reads it again from `time` on tells old lines from new ones by it: times alone do not, as several lines may
/// have the same.
public struct LogPosition: Sendable, Hashable {
    /// Of the last line taken; nil before the first.
    public private(set) var time: Timestamp?
    private var text = ""
    /// Lines taken that have this time.
    private var count = 0
    /// Of those, how many are still to be met again.
    private var repeated = 0
    private var isRepeating = false

    public init() {}

    /// The log is read again: what was taken comes once more.
    public mutating func rewind() {
        isRepeating = time != nil
        repeated = count
    }

    /// - Returns: whether the line is new.
    public mutating func take(_ line: LogLine) -> Bool {
        if isRepeating, let time {
            if line.time < time { return false }
            if line.time == time, repeated > 0 {
                repeated -= 1
                // The last one taken may have gone on since.
                guard repeated == 0, line.text != text else { return false }
                text = line.text
                return true
            }
            isRepeating = false
        }
        count = line.time == time ? count + 1 : 1
        time = line.time
        text = line.text
        return true
    }
}
