/// One thing that kilnd looked at in itself: an item of `GET /api/v1/checks`.
public struct ServerCheck: Sendable, Codable, Hashable {
    public var name: String
    public var ok: Bool
    /// What was found.
    public var detail: String
    /// The command or change that mends it.
    public var mend: String?

    public init(name: String, ok: Bool, detail: String, mend: String? = nil) {
        self.name = name
        self.ok = ok
        self.detail = detail
        self.mend = mend
    }
}
