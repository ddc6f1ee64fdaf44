public import KilnModel

/// `PATCH /api/v1/environments/{ref}/settings`, answered by `EnvironmentApplication`: what is nil stays.
public struct ChangeSettings: Sendable, Codable {
    /// Whose variables and files are meant; nil: variables of the whole environment. Secrets are always the environment's.
    public var service: Name?
    public var setVariables: [EnvironmentVariable]?
    public var unsetVariables: [String]?
    /// The text of an environment file, whose variables are set too.
    public var importVariables: String?
    public var setFiles: [SettingsFile]?
    public var unsetFiles: [ContainerPath]?
    public var setSecrets: [ComposeBundle.Secret]?
    public var unsetSecrets: [SecretName]?

    public init(service: Name? = nil) { self.service = service }
}

/// `GET /api/v1/environments/{ref}/settings`
public struct SettingsReport: Sendable, Codable, Hashable {
    public struct Secret: Sendable, Codable, Hashable {
        public var name: SecretName
        /// Grows with every new value.
        public var version: Int
        /// Whether it was set by command; otherwise the Compose files brought it.
        public var isSet: Bool
        /// The services that use it.
        public var services: [Name]

        public init(name: SecretName, version: Int, isSet: Bool, services: [Name]) {
            self.name = name
            self.version = version
            self.isSet = isSet
            self.services = services
        }
    }

    public var settings: EnvironmentSettings
    /// Those that it has, without their values.
    public var secrets: [Secret]
    /// Those that services use and that it does not have.
    public var missingSecrets: [SecretName]

    public init(settings: EnvironmentSettings, secrets: [Secret], missingSecrets: [SecretName]) {
        self.settings = settings
        self.secrets = secrets
        self.missingSecrets = missingSecrets
    }
}

/// `POST /api/v1/environments/{ref}/share` and `/unshare`
public struct ShareEnvironment: Sendable, Codable {
    /// The other owners.
    public var with: [Name]

    public init(with: [Name]) { self.with = with }
}

/// Everything that an environment is made of, to make it elsewhere: `GET /api/v1/environments/{ref}/export`. The tars that the bundle names are
/// got from there too.
public struct EnvironmentExport: Sendable, Codable {
    public var name: Name
    /// Without the values of secrets, unless they were asked for.
    public var bundle: ComposeBundle
    public var settings: EnvironmentSettings
    /// The secrets whose values it needs and that are not in the bundle.
    public var missingSecrets: [SecretName]

    public init(name: Name, bundle: ComposeBundle, settings: EnvironmentSettings, missingSecrets: [SecretName]) {
        self.name = name
        self.bundle = bundle
        self.settings = settings
        self.missingSecrets = missingSecrets
    }
}

/// `POST /api/v1/tokens`
public struct CreateToken: Sendable, Codable {
    public var owner: Name
    /// Whether it reaches everybody's resources. Default: false.
    public var admin: Bool?
    /// What it is for: at most 100 printable ASCII characters.
    public var label: String?

    public init(owner: Name, admin: Bool? = nil, label: String? = nil) {
        self.owner = owner
        self.admin = admin
        self.label = label
    }
}

/// A token, without its text.
public struct TokenInfo: Sendable, Codable, Hashable {
    public var id: String
    public var owner: Name
    public var admin: Bool
    public var label: String
    public var createdAt: Timestamp
    /// To the minute.
    public var lastUsedAt: Timestamp?

    public init(id: String, owner: Name, admin: Bool, label: String, createdAt: Timestamp, lastUsedAt: Timestamp?) {
        self.id = id
        self.owner = owner
        self.admin = admin
        self.label = label
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
    }
}

/// The answer to `CreateToken`: the only time that the text is told.
public struct NewToken: Sendable, Codable {
    public var token: TokenInfo
    public var text: String

    public init(token: TokenInfo, text: String) {
        self.token = token
        self.text = text
    }
}
