/// Version of the Podman service.
public struct PodmanVersion: Decodable, Sendable {
    /// `4.3.1`, say.
    public var version: String

    enum CodingKeys: String, CodingKey { case version = "Version" }
}

/// The parts of `podman info` a caller needs.
public struct PodmanInfo: Decodable, Sendable {
    public struct Host: Decodable, Sendable {
        public struct Runtime: Decodable, Sendable {
            public var name: String
            public var path: String
        }

        public var ociRuntime: Runtime
        public var cgroupManager: String
        public var cgroupVersion: String
        public var eventLogger: String
    }

    public struct Store: Decodable, Sendable {
        public var graphRoot: String
        public var runRoot: String
    }

    public var host: Host
    public var store: Store
}
