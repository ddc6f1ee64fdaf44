/// A machine, or a fixed share of one, that hosts workspaces which share one home.
public struct Workmachine: Resource {
    public static let kind = ResourceKind.workmachine
    public var metadata: Metadata
    public var spec: Spec
    public var status: Status

    public init(metadata: Metadata, spec: Spec, status: Status = Status()) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    public struct Spec: Sendable, Codable, Hashable {
        /// Which of the instance's user-id ranges is its own; from 0, unique per installation.
        public var rangeIndex: Int

        public init(rangeIndex: Int) { self.rangeIndex = rangeIndex }
    }

    public enum Phase: String, Sendable, Codable, CaseIterable {
        case pending = "Pending", ready = "Ready", unreachable = "Unreachable", deleting = "Deleting", failed = "Failed"
    }

    public struct Status: Sendable, Codable, Hashable {
        public var phase: Phase = .pending
        public var reason: Reason?
        /// The last change of phase.
        public var since: Timestamp = 0
        public var engine: EngineInfo?

        public init() {}
    }
}

/// What an engine says of itself and its host.
public struct EngineInfo: Sendable, Codable, Hashable {
    /// `crun 1.8.1`, say.
    public var runtime: String
    /// `podman 4.3.1`, say.
    public var engine: String
    public var kernel: String
    public var cpus: Int
    /// Bytes.
    public var memory: Int

    public init(runtime: String, engine: String, kernel: String, cpus: Int, memory: Int) {
        self.runtime = runtime
        self.engine = engine
        self.kernel = kernel
        self.cpus = cpus
        self.memory = memory
    }
}
