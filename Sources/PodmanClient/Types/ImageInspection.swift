/// An image as `inspect` shows it.
public struct ImageInspection: Decodable, Sendable {
    /// What Docker's images say of their health; durations in nanoseconds, 0 for the usual.
    public struct Healthcheck: Decodable, Sendable {
        /// `NONE`; `CMD` and a program with its arguments; `CMD-SHELL` and a text.
        public var test: [String]?
        public var interval: Int?
        public var timeout: Int?
        public var startPeriod: Int?
        public var startInterval: Int?
        public var retries: Int?

        enum CodingKeys: String, CodingKey {
            case test = "Test", interval = "Interval", timeout = "Timeout", startPeriod = "StartPeriod", startInterval = "StartInterval",
                retries = "Retries"
        }
    }

    public var id: String
    public var healthcheck: Healthcheck?

    enum CodingKeys: String, CodingKey { case id = "Id", healthcheck = "Healthcheck" }
}
