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
        var reference: ComposeProject.EnvironmentFileReference
        var position: Position
    }

    struct VolumeUse: Sendable {
        var mount: Service.VolumeMount
        var position: Position
    }

    struct DependencyUse: Sendable {
        var dependency: Service.Dependency
        var position: Position
    }

    /// What stands below a service's name.
    struct Settings: Sendable {
        /// nil only in a file that is refused.
        var source: Source?
        var command: [String]?
        var entrypoint: [String]?
        var variables: [EnvironmentVariable] = []
        var environmentFiles: [EnvironmentFileUse] = []
        var ports: [ServicePort] = []
        var volumes: [VolumeUse] = []
        var dependencies: [DependencyUse] = []
        var healthcheck: Service.Healthcheck?
        var restart: Service.RestartPolicy = .no
    }

    var name: Name
    /// Where the name stands.
    var position: Position
    var settings: Settings
}

/// Variables in the order they were first set; setting one again replaces its value.
struct VariableList {
    private(set) var variables: [EnvironmentVariable] = []
    private var places: [String: Int] = [:]

    var values: [String: String] { places.mapValues { variables[$0].value } }

    subscript(key: String) -> String? { places[key].map { variables[$0].value } }

    mutating func set(_ variable: EnvironmentVariable) {
        if let place = places[variable.key] {
            variables[place] = variable
        } else {
            places[variable.key] = variables.count
            variables.append(variable)
        }
    }
}
