/// An error a person will read: a stable code, what happened, and what mends it.
public struct KilnError: Error, Hashable, Sendable, Codable, CustomStringConvertible {
    /// What kind of failure a code is; decides the HTTP status and `kl`'s exit code.
    public enum Category: String, Sendable, Codable, CaseIterable {
        case usage, unauthenticated, notAllowed, notFound, conflict, failed, unavailable, timedOut
    }

    /// A stable, extensible error code such as `invalid-name`.
    public struct Code: Hashable, Sendable, Codable {
        public let value: String
        public let category: Category

        public init(_ value: String, _ category: Category) {
            self.value = value
            self.category = category
        }
    }

    public let code: Code
    /// What happened and why, in one or two sentences.
    public let message: String
    /// The command or change that mends it.
    public let hint: String?

    public init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    public var description: String { hint.map { "\(message) \($0)" } ?? message }
}

extension KilnError.Code {
    public static let invalidName = Self("invalid-name", .usage)
    public static let invalidID = Self("invalid-id", .usage)
    public static let invalidValue = Self("invalid-value", .usage)
    public static let invalidCompose = Self("invalid-compose", .usage)
    public static let invalidBuildContext = Self("invalid-build-context", .usage)
    public static let unauthenticated = Self("unauthenticated", .unauthenticated)
    public static let notAllowed = Self("not-allowed", .notAllowed)
    public static let notFound = Self("not-found", .notFound)
    public static let nameTaken = Self("name-taken", .conflict)
    public static let staleVersion = Self("stale-version", .conflict)
    public static let wrongPhase = Self("wrong-phase", .conflict)
    public static let inUse = Self("in-use", .conflict)
    public static let intercepted = Self("intercepted", .conflict)
    public static let notConnected = Self("not-connected", .conflict)
    public static let noRoom = Self("no-room", .conflict)
    public static let packageNotFound = Self("package-not-found", .notFound)
    public static let versionNotFound = Self("version-not-found", .notFound)
    public static let packageFailed = Self("package-failed", .failed)
    public static let untrustedSignature = Self("untrusted-signature", .failed)
    public static let indexUnusable = Self("index-unusable", .failed)
    public static let imageNotFound = Self("image-not-found", .failed)
    public static let buildFailed = Self("build-failed", .failed)
    public static let cloneFailed = Self("clone-failed", .failed)
    public static let serviceFailed = Self("service-failed", .failed)
    public static let probeFailed = Self("probe-failed", .failed)
    public static let diskFull = Self("disk-full", .failed)
    public static let commandNotFound = Self("command-not-found", .failed)
    public static let engineFailed = Self("engine-failed", .failed)
    public static let engineUnavailable = Self("engine-unavailable", .unavailable)
    public static let internalError = Self("internal-error", .failed)
    public static let timedOut = Self("timed-out", .timedOut)
}
