/// Something that happened to a container or image.
public struct PodmanEvent: Decodable, Sendable {
    public struct Actor: Decodable, Sendable {
        public var id: String
        /// Labels, and Podman's own: `name`, `image`, `containerExitCode`.
        public var attributes: [String: String]

        enum CodingKeys: String, CodingKey { case id = "ID", attributes = "Attributes" }
    }

    /// `container`, `image`, `volume` and the like.
    public var type: String
    /// `create`, `start`, `died`, `remove` and the like.
    public var action: String
    public var actor: Actor
    /// Unix time in seconds.
    public var time: Int

    enum CodingKeys: String, CodingKey { case type = "Type", action = "Action", actor = "Actor", time }
}
