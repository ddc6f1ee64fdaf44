/// One line that a workspace's or service's container printed.
public struct LogLine: Sendable, Codable, Hashable {
    public enum Channel: String, Sendable, Codable, CaseIterable { case output, error }

    /// The service that printed it; nil for a workspace.
    public var service: Name?
    /// Which of the service's containers, from 1; nil for a workspace.
    public var replica: Int?
    public var time: Timestamp
    public var channel: Channel
    public var text: String

    public init(service: Name? = nil, replica: Int? = nil, time: Timestamp, channel: Channel, text: String) {
        self.service = service
        self.replica = replica
        self.time = time
        self.channel = channel
        self.text = text
    }
}
