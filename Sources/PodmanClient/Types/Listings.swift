/// A container as a list shows it.
public struct ListedContainer: Decodable, Sendable {
    public var id: String
    public var names: [String]?
    public var labels: [String: String]?
    /// `created`, `running`, `exited` and the like.
    public var state: String
    public var pid: Int
    public var exitCode: Int
    public var image: String
    /// Unix time in seconds; negative when it never started.
    public var startedAt: Int

    enum CodingKeys: String, CodingKey {
        case id = "Id", names = "Names", labels = "Labels", state = "State", pid = "Pid", exitCode = "ExitCode", image = "Image",
            startedAt = "StartedAt"
    }
}

/// An image as a list shows it.
public struct ListedImage: Decodable, Sendable {
    public var id: String
    /// Its names, `registry/path:tag`.
    public var names: [String]?
    /// Bytes.
    public var size: Int

    enum CodingKeys: String, CodingKey { case id = "Id", names = "Names", size = "Size" }
}
