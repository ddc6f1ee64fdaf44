import KilnModel

/// A service as the file describes it: a `Service` without what lies outside the file, with the places that later findings point to.
struct ServiceDraft: Sendable {
    enum Source: Sendable {
        case reference(ImageReference)
        case build(BuildDraft)
    }

    struct BuildDraft: Sendable {
        var context: String
        var containerfile = "Dockerfile"
        var arguments: [EnvironmentVariable] = []
        var target: String?
        var position: Position
    }

    struct EnvironmentFileUse: Sendable {
        var path: String
        var required: Bool
        var position: Position
    }

    struct Mount: Sendable {
        enum Source: Sendable, Hashable {
            case volume(VolumeName)
            /// A volume without a name.
            case anonymous
            /// A file or folder of the project; one that does not exist is an empty folder when it `mayBeMissing`.
            case copy(path: String, mayBeMissing: Bool)
            case memory(size: Int?, mode: Int?)
        }

        var source: Source
        var path: ContainerPath
        var readOnly: Bool
        var position: Position
        /// `nocopy`, of a volume.
        var isEmpty = false
    }

    /// The use of a `configs` or `secrets` entry.
    struct Grant: Sendable {
        var name: String
        var path: ContainerPath
        var mode: Int?
        var user: Int?
        var group: Int?
        var position: Position
    }

    struct DependencyUse: Sendable {
        var dependency: Service.Dependency
        var position: Position
    }

    struct Link: Sendable {
        var service: Name
        var alias: HostName
        var position: Position
    }

    /// What stands below a service's name.
    struct Settings: Sendable {
        /// nil only in a file that is refused.
        var source: Source?
        var command: [String]?
        var entrypoint: [String]?
        var variables = VariableList()
        var environmentFiles: [EnvironmentFileUse] = []
        var ports: [ServicePort] = []
        var namedPorts: [NamedPort] = []
        var exposed: [ServicePort] = []
        var mounts: [Mount] = []
        var configs: [Grant] = []
        var secrets: [Grant] = []
        var dependencies: [DependencyUse] = []
        var links: [Link] = []
        var healthcheck: Service.Healthcheck?
        var healthcheckKeys: Set<String> = []
        var restart: Service.RestartPolicy = .no
        var profiles: [String] = []
        var networks: [(name: String, position: Position)] = []
        var aliases: [HostName] = []
        var replicas: Int?
        var container = ContainerSettings()
        var labelFiles: [EnvironmentFileUse] = []
    }

    var name: Name
    /// Where the name stands.
    var position: Position
    var settings: Settings
}

/// Variables in the order they were first set; setting one again replaces its value.
struct VariableList: Sendable {
    enum Variable: Sendable, Hashable {
        case plain(EnvironmentVariable)
        case secret(SecretVariable)

        var key: String {
            switch self {
            case .plain(let variable): variable.key
            case .secret(let variable): variable.key
            }
        }
    }

    private(set) var all: [Variable] = []
    /// Keys that were named without a value and have none outside either: they are not set, whatever files say.
    private(set) var unset: Set<String> = []
    private var places: [String: Int] = [:]

    init() {}

    /// The values that hold no secret.
    var values: [String: String] { Dictionary(variables.map { ($0.key, $0.value) }) { $1 } }

    var variables: [EnvironmentVariable] { all.compactMap { if case .plain(let variable) = $0 { variable } else { nil } } }
    var secretVariables: [SecretVariable] { all.compactMap { if case .secret(let variable) = $0 { variable } else { nil } } }

    /// The value of a key, unless it holds secrets.
    subscript(key: String) -> String? {
        guard let place = places[key], case .plain(let variable) = all[place] else { return nil }
        return variable.value
    }

    func contains(_ key: String) -> Bool { places[key] != nil }

    mutating func set(_ variable: Variable) {
        if let place = places[variable.key] {
            all[place] = variable
        } else {
            places[variable.key] = all.count
            all.append(variable)
        }
    }

    mutating func set(_ variable: EnvironmentVariable) { set(.plain(variable)) }

    mutating func leaveUnset(_ key: String) { unset.insert(key) }

    /// The variables of `other` come over these.
    mutating func set(_ other: VariableList) {
        let kept = all.filter { !other.unset.contains($0.key) }
        self = VariableList()
        for variable in kept + other.all { set(variable) }
    }
}
