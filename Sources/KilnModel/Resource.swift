/// What kind a resource is; its raw value is the path segment of the API.
public enum ResourceKind: String, Sendable, Codable, CaseIterable {
    case workmachine = "workmachines"
    case workspace = "workspaces"
    case environment = "environments"

    /// What a person calls one of this kind, and what JSON does: `workspace`.
    public var noun: String {
        switch self {
        case .workmachine: "workmachine"
        case .workspace: "workspace"
        case .environment: "environment"
        }
    }
}

extension ResourceKind {
    /// - Parameter noun: `workspace`; in audit records of old it may be the raw value.
    /// - Throws: `invalid-value` that names the kinds.
    public init(noun: String) throws(KilnError) {
        guard let kind = Self.allCases.first(where: { $0.noun == noun }) ?? Self(rawValue: noun) else {
            throw KilnError(
                .invalidValue, "There is no kind \(noun.printable(limit: 40)).",
                hint: "Use one of \(Self.allCases.map(\.noun).joined(separator: ", ")).")
        }
        self = kind
    }

    public init(from decoder: any Decoder) throws { try self.init(noun: decoder.singleValueContainer().decode(String.self)) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(noun)
    }
}

/// Identity and bookkeeping of a resource.
public struct Metadata: Hashable, Sendable, Codable {
    public let id: ResourceID
    public let name: Name
    public let owner: Name
    /// Grows by one with every change of the spec and with the request to delete; a write with a stale version is refused. Changes of the
    /// status leave it alone: `status.observedVersion` says which version a status was made for.
    public var version: Int
    public let createdAt: Timestamp
    /// Set once deletion was asked for; never unset. The resource vanishes when everything of it is gone.
    public var deletionRequestedAt: Timestamp?

    public init(id: ResourceID, name: Name, owner: Name, version: Int = 1, createdAt: Timestamp, deletionRequestedAt: Timestamp? = nil) {
        self.id = id
        self.name = name
        self.owner = owner
        self.version = version
        self.createdAt = createdAt
        self.deletionRequestedAt = deletionRequestedAt
    }
}

/// A workmachine, workspace or environment: what it is, what it should be, what was verified.
public protocol Resource: Sendable, Codable, Hashable {
    associatedtype Spec: Sendable, Codable, Hashable
    associatedtype Status: Sendable, Codable, Hashable
    static var kind: ResourceKind { get }
    var metadata: Metadata { get set }
    var spec: Spec { get set }
    var status: Status { get set }
}

/// Why a resource is in its phase, for people: what happened, and the command that mends it.
public struct Reason: Hashable, Sendable, Codable {
    /// A stable code, as in `KilnError.Code`.
    public var code: String
    public var message: String
    public var hint: String?

    public init(code: String, message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    public init(_ error: KilnError) {
        self.init(code: error.code.value, message: error.message, hint: error.hint)
    }
}

/// CPUs, memory and processes a container may use.
public struct ResourceLimits: Hashable, Sendable, Codable {
    /// CPUs, in parts of one thousand: 1500 is one and a half.
    public var milliCPUs: Int
    /// Bytes.
    public var memory: Int
    /// Processes and threads.
    public var pids: Int

    public init(milliCPUs: Int, memory: Int, pids: Int) {
        self.milliCPUs = milliCPUs
        self.memory = memory
        self.pids = pids
    }
}
