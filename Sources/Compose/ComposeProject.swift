public import KilnModel

/// What Compose files describe, read and checked; what lies outside the files is still to be handed in.
public struct ComposeProject: Sendable {
    /// A file that others refer to and whose text is needed before anything can be said.
    public struct NeededText: Sendable, Hashable {
        /// Relative to the project's folder.
        public let path: String
        /// Whether it is an error that it does not exist.
        public let required: Bool
    }

    /// A file or folder that services see.
    public struct Copy: Sendable, Hashable {
        /// Relative to the project's folder.
        public let path: String
        /// Whether an empty folder takes its place when it does not exist.
        public let mayBeMissing: Bool
    }

    /// A file that holds a secret.
    public struct SecretFile: Sendable, Hashable {
        public let name: SecretName
        public let path: String
    }

    struct Config: Sendable {
        enum Source: Sendable {
            case file(String)
            case text(String)
        }

        var name: String
        var source: Source
        var position: Position
    }

    struct Secret: Sendable {
        enum Source: Sendable {
            case file(String)
            /// The value of a variable.
            case text(String, String)
            /// The environment has it, or will have it.
            case environment
        }

        var name: SecretName
        var source: Source
        var position: Position
    }

    /// The top-level `name`, if there is one.
    public internal(set) var name: String?
    /// While this is not empty, the rest is incomplete.
    public internal(set) var needs: [NeededText] = []
    /// Every variable the files refer to, set or not.
    public internal(set) var referencedVariables: Set<String> = []
    /// What does no harm but should be said: variables that are not set, keys without effect.
    public internal(set) var warnings: [ComposeFinding] = []

    var drafts: [ServiceDraft] = []
    var configs: [Config] = []
    var secrets: [Secret] = []

    init() {}

    /// Paths of the build contexts; without repetitions.
    public var contexts: [String] {
        var seen: Set<String> = []
        return drafts.compactMap { draft in
            if case .build(let build) = draft.settings.source, seen.insert(build.context).inserted { build.context } else { nil }
        }
    }

    /// The Containerfiles that are built from a context, sorted.
    public func containerfiles(of context: String) -> [String] {
        let names = drafts.compactMap { draft in
            if case .build(let build) = draft.settings.source, build.context == context { build.containerfile } else { nil }
        }
        return Set(names).sorted()
    }

    /// The files and folders that travel along as they are; without repetitions.
    public var copies: [Copy] {
        var order: [String] = []
        var missing: [String: Bool] = [:]
        func add(_ path: String, _ mayBeMissing: Bool) {
            if missing[path] == nil { order.append(path) }
            missing[path] = (missing[path] ?? true) && mayBeMissing
        }
        for draft in drafts {
            for mount in draft.settings.mounts {
                if case .copy(let path, let mayBeMissing) = mount.source { add(path, mayBeMissing) }
            }
            for grant in draft.settings.configs {
                if case .file(let path)? = configs.first(where: { $0.name == grant.name })?.source { add(path, false) }
            }
        }
        return order.map { Copy(path: $0, mayBeMissing: missing[$0] ?? false) }
    }

    /// The files that hold secrets.
    public var secretFiles: [SecretFile] {
        usedSecrets.compactMap { if case .file(let path) = $0.source { SecretFile(name: $0.name, path: path) } else { nil } }
    }

    /// The secrets whose values are those of variables.
    public var secretValues: [SecretName: String] {
        var values: [SecretName: String] = [:]
        for secret in usedSecrets { if case .text(_, let value) = secret.source { values[secret.name] = value } }
        return values
    }

    /// The variables whose values are those of secrets.
    public var secretVariables: [String: SecretName] {
        var variables: [String: SecretName] = [:]
        for secret in usedSecrets { if case .text(let variable, _) = secret.source { variables[variable] = secret.name } }
        return variables
    }

    /// The secrets that some service gets.
    var usedSecrets: [Secret] {
        let used = Set(drafts.flatMap { $0.settings.secrets.map(\.name) })
        return secrets.filter { used.contains($0.name.value) }
    }
}
