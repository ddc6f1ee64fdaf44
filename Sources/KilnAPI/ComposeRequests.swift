public import KilnModel

/// Compose files with the texts around them, as their author's machine has them.
public struct ComposeSources: Sendable, Codable {
    public struct File: Sendable, Codable, Hashable {
        /// What to call it in errors.
        public var path: String
        public var text: String

        public init(path: String, text: String) {
            self.path = path
            self.text = text
        }
    }

    /// In the order in which one comes over the other; paths in them are relative to the folder of the first.
    public var files: [File]
    /// Path relative to that folder → text, of the files that they refer to. The one at `.env` gives the variables that the caller has not set.
    public var texts: [String: String]
    /// Of these files, those that do not exist.
    public var absent: [String]
    /// The variables that the files refer to and the caller has set.
    public var variables: [String: String]
    /// The profiles whose services take part.
    public var profiles: [String]
    /// The folder as an absolute path, by which absolute paths into it are known.
    public var directory: String?

    public init(
        files: [File], texts: [String: String] = [:], absent: [String] = [], variables: [String: String] = [:], profiles: [String] = [],
        directory: String? = nil
    ) {
        self.files = files
        self.texts = texts
        self.absent = absent
        self.variables = variables
        self.profiles = profiles
        self.directory = directory
    }
}

/// Compose files with everything that must travel along with them.
public struct ComposeBundle: Sendable, Codable {
    public struct Secret: Sendable, Codable {
        public var name: SecretName
        public var value: SecretBytes

        public init(name: SecretName, value: SecretBytes) {
            self.name = name
            self.value = value
        }
    }

    public var sources: ComposeSources
    /// Path of a build context as `ComposeInspection` says it → digest of its tar, which was uploaded before.
    public var contexts: [String: ContentDigest]
    /// The same for files and folders that services see.
    public var copies: [String: FileCopy]
    /// Secrets that lie in files, and others that the environment is to have.
    public var secrets: [Secret]

    public init(sources: ComposeSources, contexts: [String: ContentDigest] = [:], copies: [String: FileCopy] = [:], secrets: [Secret] = []) {
        self.sources = sources
        self.contexts = contexts
        self.copies = copies
        self.secrets = secrets
    }
}

/// `POST /api/v1/environments`
public struct CreateEnvironment: Sendable, Codable {
    public var name: Name
    /// Default: `local`.
    public var workmachine: Name?
    public var bundle: ComposeBundle
    /// What is set over the files, of an environment that comes from elsewhere. Only for a new one.
    public var settings: EnvironmentSettings?

    public init(name: Name, workmachine: Name? = nil, bundle: ComposeBundle, settings: EnvironmentSettings? = nil) {
        self.name = name
        self.workmachine = workmachine
        self.bundle = bundle
        self.settings = settings
    }
}

/// `POST /api/v1/compose`: what Compose files need from their author's machine. Answered by `ComposeInspection`; makes nothing.
///
/// The files are read here, not by the caller, since a YAML reader would more than double the size of `kl`.
public struct InspectCompose: Sendable, Codable {
    public var sources: ComposeSources
    /// `[owner/]name` of an environment, whose secrets variables may be filled with.
    public var environment: String?
    /// Of secrets that are to be sent along with the files.
    public var secrets: [SecretName]

    public init(sources: ComposeSources, environment: String? = nil, secrets: [SecretName] = []) {
        self.sources = sources
        self.environment = environment
        self.secrets = secrets
    }
}

/// What must travel along with Compose files.
public struct ComposeInspection: Sendable, Codable, Hashable {
    public struct NeededText: Sendable, Codable, Hashable {
        /// Relative to the first file's folder, as are all paths here.
        public var path: String
        public var required: Bool

        public init(path: String, required: Bool) {
            self.path = path
            self.required = required
        }
    }

    public struct Context: Sendable, Codable, Hashable {
        public var path: String
        /// The Containerfiles in it that are built; they travel even when `.dockerignore` names them.
        public var containerfiles: [String]

        public init(path: String, containerfiles: [String]) {
            self.path = path
            self.containerfiles = containerfiles
        }
    }

    public struct Copy: Sendable, Codable, Hashable {
        public var path: String
        /// Whether an empty folder takes its place when it does not exist.
        public var mayBeMissing: Bool

        public init(path: String, mayBeMissing: Bool) {
            self.path = path
            self.mayBeMissing = mayBeMissing
        }
    }

    public struct SecretFile: Sendable, Codable, Hashable {
        public var name: SecretName
        public var path: String

        public init(name: SecretName, path: String) {
            self.name = name
            self.path = path
        }
    }

    /// Texts without which nothing more can be said: ask again with them.
    public var needs: [NeededText] = []
    public var contexts: [Context] = []
    public var copies: [Copy] = []
    public var secretFiles: [SecretFile] = []
    /// Every variable the files refer to.
    public var variables: [String] = []
    public var warnings: [String] = []

    public init() {}
}

/// `POST /api/v1/compose/report`, of `InspectCompose`: everything there is to say about Compose files. It answers also where they are wrong.
public struct ComposeReport: Sendable, Codable, Hashable {
    public struct Finding: Sendable, Codable, Hashable {
        public enum Severity: String, Sendable, Codable, CaseIterable { case error, warning }

        public var severity: Severity
        public var file: String
        /// From 1.
        public var line: Int
        /// From 1, in Unicode scalars.
        public var column: Int
        public var message: String
        public var hint: String?

        public init(severity: Severity, file: String, line: Int, column: Int, message: String, hint: String?) {
            self.severity = severity
            self.file = file
            self.line = line
            self.column = column
            self.message = message
            self.hint = hint
        }
    }

    /// As in `ComposeInspection`.
    public var needs: [ComposeInspection.NeededText] = []
    public var variables: [String] = []
    public var findings: [Finding] = []
    /// What was understood, in Compose's own form; nil when there are errors.
    public var yaml: String?
    /// The same as JSON.
    public var json: String?

    public init() {}
}
