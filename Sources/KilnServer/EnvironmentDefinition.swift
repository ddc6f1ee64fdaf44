internal import Compose
internal import KilnAPI
internal import KilnModel
internal import KilnStore

/// What an environment was made of, and is made of again when its settings change: the files with all that travelled along, and what was set over
/// them. It is kept sealed, as are the values of secrets.
struct EnvironmentDefinition: Codable {
    var bundle: ComposeBundle
    var settings = EnvironmentSettings()

    private enum CodingKeys: String, CodingKey { case bundle, settings }

    /// As it is kept.
    var text: String { get throws { try RequestJSON.text(self) } }
}

extension EnvironmentDefinition {
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        bundle = try container.decode(ComposeBundle.self, forKey: .bundle)
        settings = try container.decodeIfPresent(EnvironmentSettings.self, forKey: .settings) ?? EnvironmentSettings()
    }
}

/// What files and settings make of an environment.
struct EnvironmentReading {
    var services: [KilnModel.Service]
    /// The secrets that it is to have, besides those it has.
    var secrets: [SecretName: SecretBytes]
    var definition: EnvironmentDefinition
}

extension Backend {
    /// Reads what an environment is to be made of; everything that the files name must have arrived.
    /// - Parameters:
    ///   - existing: the environment it is for, if it is there: its services keep their addresses, its secrets may be used.
    ///   - values: secrets that are being set.
    ///   - removed: secrets that are being taken away.
    func read(
        _ definition: EnvironmentDefinition, for existing: Environment_? = nil, setting values: [SecretName: SecretBytes] = [:],
        removing removed: Set<SecretName> = []
    ) throws -> EnvironmentReading {
        let settings = definition.settings
        var bundle = definition.bundle
        bundle.sources.variables.merge(settings.variables) { $1 }
        bundle.secrets.removeAll { settings.secrets.contains($0.name) }
        bundle.secrets += values.map { ComposeBundle.Secret(name: $0.key, value: $0.value) }
        let known = Set(existing?.spec.secrets.map(\.name) ?? []).subtracting(removed)
        let (services, secrets) = try read(bundle, secrets: known, set: settings.secrets, keeping: existing?.spec.services ?? [])
        return EnvironmentReading(services: try settings.applied(to: services), secrets: secrets, definition: definition)
    }

    /// What an environment was made of.
    /// - Throws: `wrong-phase` for one that was not made of files.
    func definition(of environment: Environment_) async throws -> EnvironmentDefinition {
        guard let text = try await store.source(of: environment.metadata.id) else {
            let name = environment.metadata.name
            throw KilnError(.wrongPhase, "What \(name) was made of is not known.", hint: "Apply its Compose file: kl env apply \(name) --file PATH")
        }
        return try RequestJSON.decode(EnvironmentDefinition.self, from: text)
    }
}
