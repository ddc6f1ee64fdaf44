/// When nobody minds that a disk is busy: the hours after three at night. Pure.
enum OffPeak {
    private static let day = 86_400
    private static let hours = 3 * 3600..<5 * 3600

    /// Seconds until the next of these hours begin; 0 within them.
    /// - Parameter seconds: since midnight, local time.
    static func delay(at seconds: Int) -> Int {
        if hours.contains(seconds) { return 0 }
        return (hours.lowerBound - seconds + day) % day
    }

    /// Seconds until they begin again, from within or before them.
    static func delayToNextDay(at seconds: Int) -> Int {
        let delay = (hours.lowerBound - seconds + day) % day
        return delay == 0 ? day : delay
    }
}
