internal import Compose
internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    /// `GET …/export` of environments, and the tars that it names.
    func addExport(to table: inout RouteTable) {
        let path = Routes.action(.environment, "{ref}", .export)
        table.add(
            .get, path,
            .init(
                "exportEnvironment", "Everything an environment is made of, to make it elsewhere.",
                .init("secrets", "With the values of secrets.", Bool.self), answers: .ok(EnvironmentExport.self))
        ) { call in
            let environment = try await environment(call, .configure)
            return try .json(try await export(environment, withSecrets: try call.flag("secrets")))
        }
        table.add(
            .get, "\(path)/{digest}",
            .init(
                "exportTar", "A build context, or a file or folder that services see.",
                answers: .ok(.bytes("application/octet-stream", "The tar with that SHA-256.")))
        ) { call in
            let environment = try await environment(call, .configure)
            let digest = try ContentDigest(try call.parameters.require("digest"))
            let bundle = try await definition(of: environment).bundle
            guard bundle.contexts.values.contains(digest) || bundle.copies.values.contains(where: { $0.digest == digest }) else {
                throw KilnError(.notFound, "\(environment.metadata.name) is made of nothing called \(digest).")
            }
            let tar = try controller.contexts.open(digest)
            return .streaming(call, "application/octet-stream") { pipe, _ in
                for try await bytes in tar { try await pipe.write(bytes) }
            }
        }
    }

    private func export(_ environment: Environment_, withSecrets: Bool) async throws -> EnvironmentExport {
        let definition = try await definition(of: environment)
        var bundle = definition.bundle
        var has: Set<SecretName> = []
        if withSecrets {
            let values = try await store.secretValues(of: environment.metadata.id)
            bundle.secrets = values.map { ComposeBundle.Secret(name: $0.name, value: $0.value) }
            has = Set(values.map(\.name))
        } else {
            bundle.secrets = []
            try bundle.sources.removeValues(of: secretVariables(of: definition, environment))
        }
        let missing = Set(environment.spec.services.flatMap(\.secrets)).union(definition.settings.secrets).subtracting(has).sorted()
        return EnvironmentExport(name: environment.metadata.name, bundle: bundle, settings: definition.settings, missingSecrets: missing)
    }

    /// The variables whose values are those of secrets.
    private func secretVariables(of definition: EnvironmentDefinition, _ environment: Environment_) throws -> Set<String> {
        var sources = definition.bundle.sources
        sources.variables.merge(definition.settings.variables) { $1 }
        do {
            let known = Set(environment.spec.secrets.map(\.name))
            return Set(try ComposeFile.read(ComposeInput(sources, secrets: known)).secretVariables.keys)
        } catch {
            throw error.kilnError
        }
    }
}

extension ComposeSources {
    /// Takes the values of variables out, wherever they stand.
    fileprivate mutating func removeValues(of secret: Set<String>) throws {
        guard !secret.isEmpty else { return }
        for name in secret { variables[name] = nil }
        // A value may go over several lines of the file, so the file goes as a whole and its other variables stay.
        guard let text = texts[".env"] else { return }
        do {
            let others = try EnvironmentFile.read(text: text, file: ".env", variables: variables).filter { !secret.contains($0.key) }
            variables.merge(others.map { ($0.key, $0.value) }) { given, _ in given }
        } catch {
            throw error.kilnError
        }
        texts[".env"] = nil
        absent.append(".env")
    }
}
