/// A set of services with a private network.
public struct Environment: Resource {
    public static let kind = ResourceKind.environment
    public var metadata: Metadata
    public var spec: Spec
    public var status: Status

    public init(metadata: Metadata, spec: Spec, status: Status = Status()) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    public enum DesiredState: String, Sendable, Codable, CaseIterable { case running, stopped }

    public struct Spec: Sendable, Codable, Hashable {
        public var workmachine: ResourceID
        public var desiredState: DesiredState
        public var services: [Service]
        /// That there are secrets; their values are kept apart. Sorted by name.
        public var secrets: [SecretVersion]
        /// Decides the address of its uplink (`AddressPlan.environment`).
        public var addressIndex: Int
        /// Which of the instance's user-id ranges its containers run in; unique per installation, workmachines' ranges included.
        public var rangeIndex: Int
        /// Under which its volumes lie. It outlives the environment unless they are deleted along, so that the next environment of this name
        /// finds them again.
        public var volumeSet: ResourceID
        /// Whether deletion takes the volumes along.
        public var deletesVolumes: Bool
        /// How often services were asked to start afresh. A service's number is part of what its container is made from.
        public var generations: [Name: Int] = [:]
        /// The other owners who may use it. Sorted.
        public var sharedWith: [Name] = []

        public init(
            workmachine: ResourceID, desiredState: DesiredState = .running, services: [Service], secrets: [SecretVersion] = [],
            addressIndex: Int, rangeIndex: Int, volumeSet: ResourceID,
            deletesVolumes: Bool = false
        ) {
            self.workmachine = workmachine
            self.desiredState = desiredState
            self.services = services
            self.secrets = secrets
            self.addressIndex = addressIndex
            self.rangeIndex = rangeIndex
            self.volumeSet = volumeSet
            self.deletesVolumes = deletesVolumes
        }
    }

    public enum Phase: String, Sendable, Codable, CaseIterable {
        case pending = "Pending", building = "Building", starting = "Starting", running = "Running", degraded = "Degraded",
            stopping = "Stopping", stopped = "Stopped", deleting = "Deleting", failed = "Failed"
    }

    public struct Status: Sendable, Codable, Hashable {
        public var phase: Phase = .pending
        public var reason: Reason?
        /// What is being done right now, for progress lines.
        public var activity: String?
        /// The last change of phase.
        public var since: Timestamp = 0
        public var observedVersion: Int = 0
        public var services: [ServiceStatus] = []

        public init() {}
    }
}
