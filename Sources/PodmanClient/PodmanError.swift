/// A refusal or failure of Podman's API.
public struct PodmanError: Error, Hashable, Sendable, CustomStringConvertible {
    /// HTTP status; 0 when Podman did not answer, 200 when it failed in the middle of a stream.
    public let status: Int
    /// What Podman says happened.
    public let message: String
    /// The innermost error, shorter than `message`.
    public let cause: String

    public init(status: Int, message: String, cause: String = "") {
        self.status = status
        self.message = message
        self.cause = cause
    }

    /// Whether Podman did not answer at all.
    public var isUnreachable: Bool { status == 0 }
    /// Whether the container asked for is not there, or went while Podman looked at it, which Podman 4.3 says with status 500.
    public var isNoSuchContainer: Bool { cause == "no such container" || cause == "container has already been removed" }
    /// Whether an image that is not in the store was named.
    public var isNoSuchImage: Bool { cause == "image not known" || message.hasSuffix("image not known") || cause.hasPrefix("failed to find image") }
    /// Whether a container of that name exists already. Podman 4.3 says so with status 500, so the cause decides.
    public var isNameConflict: Bool { status == 409 || cause == "that name is already in use" }

    public var description: String { status == 0 ? message : "\(message) (status \(status))" }
}

/// The body of every refusal.
struct PodmanErrorBody: Decodable {
    var message: String
    var cause: String?
}
