internal import Compose
internal import KilnAPI
internal import KilnModel
internal import KilnStore

/// What an environment was made of, and is made of again when its configuration changes: the files with all that travelled along, without the
/// values of secrets.
struct EnvironmentDefinition: Codable {
    var bundle: ComposeBundle
    /// Variables set by command; they win over those that came with the files.
    var configuration: [String: String] = [:]
    /// The variables whose values are secrets.
    var secretVariables: [String: SecretName] = [:]
    /// The secrets that came from files.
    var secretFiles: [SecretName] = []

    /// As it is kept.
    var text: String { get throws { try RequestJSON.text(self) } }
}

/// What files and configuration make of an environment.
struct EnvironmentReading {
    var services: [KilnModel.Service]
    /// The secrets that it is to have, besides those it has.
    var secrets: [SecretName: SecretBytes]
    var definition: EnvironmentDefinition
    /// Every variable that the files refer to.
    var variables: Set<String>
}

extension Backend {
    /// Reads Compose files; everything that they name must have arrived.
    /// - Parameter existing: the environment they are for, if it is there: its services keep their addresses, its secrets may be used.
    func read(_ bundle: ComposeBundle, configuration: [String: String] = [:], for existing: Environment_? = nil) throws -> EnvironmentReading {
        var filled = bundle
        filled.sources.variables.merge(configuration) { $1 }
        let known = Set(existing?.spec.secrets.map(\.name) ?? [])
        let (services, secrets, project) = try read(filled, secrets: known, keeping: existing?.spec.services ?? [])
        var definition = EnvironmentDefinition(
            bundle: bundle, configuration: configuration, secretVariables: project.secretVariables, secretFiles: project.secretFiles.map(\.name))
        definition.bundle.secrets = []
        for variable in definition.secretVariables.keys { definition.bundle.sources.variables[variable] = nil }
        return EnvironmentReading(services: services, secrets: secrets, definition: definition, variables: project.referencedVariables)
    }

    /// Reads what an environment is made of once more.
    func read(_ definition: EnvironmentDefinition, of existing: Environment_) async throws -> EnvironmentReading {
        let secrets = try await store.secretValues(of: existing.metadata.id)
        let values = Dictionary(secrets.map { ($0.name, $0.value) }) { $1 }
        var bundle = definition.bundle
        bundle.secrets = definition.secretFiles.compactMap { name in values[name].map { ComposeBundle.Secret(name: name, value: $0) } }
        for (variable, name) in definition.secretVariables {
            bundle.sources.variables[variable] = values[name].map { String(decoding: $0.bytes, as: UTF8.self) }
        }
        return try read(bundle, configuration: definition.configuration, for: existing)
    }

    /// What an environment was made of; nil for one that was not made of files.
    func definition(of environment: Environment_) async throws -> EnvironmentDefinition? {
        guard let text = try await store.source(of: environment.metadata.id) else { return nil }
        return try RequestJSON.decode(EnvironmentDefinition.self, from: text)
    }
}
