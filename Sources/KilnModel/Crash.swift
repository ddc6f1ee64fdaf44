/// That a service ended when it should not have, and what comes next.
public struct Crash: Sendable, Codable, Hashable {
    /// Ends in a row, each soon after its start.
    public var times: Int
    /// When it is started again; nil: it is not, or has been.
    public var nextTry: Timestamp?
    /// What it printed last.
    public var lastLines: [String]

    public init(times: Int, nextTry: Timestamp? = nil, lastLines: [String] = []) {
        self.times = times
        self.nextTry = nextTry
        self.lastLines = lastLines
    }
}
