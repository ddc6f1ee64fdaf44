/// A container as `inspect` shows it.
public struct ContainerInspection: Decodable, Sendable {
    public struct State: Decodable, Sendable {
        /// `created`, `initialized`, `running`, `stopped`, `exited` and the like.
        public var status: String
        public var isRunning: Bool
        /// The host's id of its first process; 0 when it does not run.
        public var pid: Int
        public var exitCode: Int
        public var wasOutOfMemory: Bool
        public var error: String
        /// RFC 3339.
        public var startedAt: String
        /// RFC 3339; the year 1 when it never ended.
        public var finishedAt: String

        enum CodingKeys: String, CodingKey {
            case status = "Status", isRunning = "Running", pid = "Pid", exitCode = "ExitCode", wasOutOfMemory = "OOMKilled", error = "Error",
                startedAt = "StartedAt", finishedAt = "FinishedAt"
        }
    }

    public struct Configuration: Decodable, Sendable {
        public var labels: [String: String]?
        public var hostname: String?
        /// `KEY=VALUE` each, the image's and the caller's.
        public var environment: [String]?
        public var user: String?
        public var workingDirectory: String?

        enum CodingKeys: String, CodingKey {
            case labels = "Labels", hostname = "Hostname", environment = "Env", user = "User", workingDirectory = "WorkingDir"
        }
    }

    public var id: String
    public var name: String
    public var image: String
    public var imageName: String
    /// `crun`, say.
    public var runtime: String
    public var restartCount: Int
    public var state: State
    public var configuration: Configuration

    enum CodingKeys: String, CodingKey {
        case id = "Id", name = "Name", image = "Image", imageName = "ImageName", runtime = "OCIRuntime", restartCount = "RestartCount",
            state = "State", configuration = "Config"
    }
}
