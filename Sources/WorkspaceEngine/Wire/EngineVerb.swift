import KilnModel

/// What kilnd asks of kiln-agent: one HTTP/2 stream each, `POST /engine/VERB`.
///
/// A plain verb sends one JSON value and gets one back, or a `KilnError` with a status other than 200. A streaming verb keeps its stream
/// open: `build`, `store-files` and the sessions send a line of JSON and then bytes; `build`, `logs`,
/// `observations`, `apply-packages` and `collect-garbage` answer with lines of JSON (`WireLine`), the sessions with `SessionFrame`s.
enum EngineVerb: String, CaseIterable {
    case info
    case prune
    case applyWorkmachine = "apply-workmachine"
    case removeWorkmachine = "remove-workmachine"
    case applyWorkspace = "apply-workspace"
    case removeWorkspace = "remove-workspace"
    case applyEnvironment = "apply-environment"
    case removeEnvironment = "remove-environment"
    case hasImage = "has-image"
    case build
    case missingFiles = "missing-files"
    case storeFiles = "store-files"
    case session
    case serviceSession = "service-session"
    case logs
    case usage
    case traffic
    case observations
    case searchPackages = "search-packages"
    case packageDetails = "package-details"
    case resolvePackages = "resolve-packages"
    case applyPackages = "apply-packages"
    case packageOrigins = "package-origins"
    case packageUsage = "package-usage"
    case collectGarbage = "collect-garbage"

    /// nil when `path` names no verb.
    init?(path: String) {
        guard path.hasPrefix(WireNames.enginePrefix) else { return nil }
        self.init(rawValue: String(path.dropFirst(WireNames.enginePrefix.count)))
    }

    var path: String { WireNames.enginePrefix + rawValue }
}

/// The value of a verb that asks or answers nothing: `{}`.
struct Nothing: Codable {}

/// What `remove-environment` asks.
struct EnvironmentRemoval: Codable {
    var environment: EnvironmentTarget
    var volumes: Bool
}

/// The line that opens a `store-files`.
struct FileOpening: Codable {
    var copy: FileCopy
    var copies: FileCopies
}

/// The line that opens a session.
struct SessionOpening<Place: Codable & Sendable>: Codable, Sendable {
    var request: SessionRequest
    var place: Place
}

/// One line of a streaming answer; a stream that ends without a failure has succeeded.
enum WireLine<Item: Codable & Sendable>: Codable, Sendable {
    case item(Item)
    case failure(KilnError)
}

/// What `package-origins` asks.
struct OriginQuestion: Codable {
    var item: String
    var packages: PackagesTarget
}

/// A line of an answer that says how far the work is, and in the end what came of it.
enum ProgressLine<Outcome: Codable & Sendable>: Codable, Sendable {
    case progress(PackageProgress)
    case done(Outcome)
}
