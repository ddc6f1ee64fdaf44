public import KilnModel

/// Everything that reading takes: the files, and what lies around them.
public struct ComposeInput: Sendable {
    public struct File: Sendable, Hashable {
        /// What to call it in findings.
        public var path: String
        public var text: String

        public init(path: String, text: String) {
            self.path = path
            self.text = text
        }
    }

    /// In the order in which one comes over the other. The first one's folder is the project's.
    public var files: [File]
    /// Files that these refer to (`ComposeProject.needs`): path → text. The one at `.env` gives the variables that are not in `variables`.
    public var texts: [String: String]
    /// Files that they refer to and that do not exist.
    public var absent: Set<String>
    /// What `${NAME}` in values stands for.
    public var variables: [String: String]
    /// The profiles whose services take part; `*` is all.
    public var profiles: Set<String>
    /// Secrets that `${NAME}` in a service's variables may stand for, besides those that the files call external.
    public var secrets: Set<SecretName>
    /// The project's folder as an absolute path, by which absolute paths into it are known.
    public var directory: String?

    /// The path at which the project's own variables are looked for.
    public static let variablesFile = ".env"
    static let maximumFiles = 100

    public init(
        files: [File], texts: [String: String] = [:], absent: Set<String> = [], variables: [String: String] = [:], profiles: Set<String> = [],
        secrets: Set<SecretName> = [], directory: String? = nil
    ) {
        self.files = files
        self.texts = texts
        self.absent = absent
        self.variables = variables
        self.profiles = profiles
        self.secrets = secrets
        self.directory = directory
    }
}
