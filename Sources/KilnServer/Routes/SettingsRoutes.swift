internal import Compose
internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    /// `GET` and `PATCH` of `…/settings` of environments.
    func addSettings(to table: inout RouteTable) {
        table.add(
            .get, Routes.action(.environment, "{ref}", .settings),
            .init("getSettings", "What was set over an environment's files; secrets without their values.", answers: .ok(SettingsReport.self))
        ) { call in
            let environment = try await environment(call, .configure)
            return try .json(SettingsReport(environment, try await definition(of: environment).settings))
        }
        table.add(
            .patch, Routes.action(.environment, "{ref}", .settings),
            .init(
                "changeSettings", "Set variables, files and secrets over an environment's files; services that use them start again.",
                .init("dryRun", "Only answer what would become of each service.", Bool.self), body: .json(ChangeSettings.self),
                answers: .ok(EnvironmentApplication.self), .accepted(EnvironmentApplication.self), isConditional: true)
        ) { call in
            let document = try await resolve(.environment, call, .configure)
            _ = try call.expectedVersion(of: document, .environment)
            let change = try await call.body(ChangeSettings.self)
            let isDry = try call.flag("dryRun")
            return try .json(
                status: isDry ? .ok : .accepted, try await self.change(document.resource(Environment_.self), change, isDry: isDry, call))
        }
    }

    private func change(_ environment: Environment_, _ change: ChangeSettings, isDry: Bool, _ call: Call) async throws -> EnvironmentApplication {
        var definition = try await definition(of: environment)
        try change.apply(to: &definition.settings, of: environment)
        let unset = Set(change.unsetSecrets ?? [])
        let set = Dictionary((change.setSecrets ?? []).map { ($0.name, $0.value) }) { $1 }
        let reading = try read(definition, for: environment, setting: set, removing: unset)
        // A value that the files bring takes the place of the one that was set.
        let removed = unset.subtracting(reading.secrets.keys)
        for service in reading.services {
            guard let secret = service.secrets.intersection(removed).min() else { continue }
            throw KilnError(
                .inUse, "The service \(service.name) needs the secret \(secret).",
                hint: "Give it another value, or apply a Compose file that does without: kl env apply \(environment.metadata.name) --file PATH")
        }
        return try await apply(reading, to: environment, removing: removed, isDry: isDry, call)
    }
}

extension ChangeSettings {
    /// - Throws: `not-found` for a service that there is none of, and for what is not set; what the values throw.
    fileprivate func apply(to settings: inout EnvironmentSettings, of environment: Environment_) throws {
        if let service { _ = try environment.requireService(service) }
        guard service != nil || (setFiles ?? []).isEmpty && (unsetFiles ?? []).isEmpty else {
            throw KilnError(.invalidValue, "A file is a service's own: the request names none.")
        }
        var own = service.map { settings.services[$0] ?? .init() } ?? .init()
        var variables = service == nil ? settings.variables : own.variables
        for variable in try imported + (setVariables ?? []) { variables[variable.key] = variable.value }
        for key in unsetVariables ?? [] {
            guard variables.removeValue(forKey: key) != nil else { throw Self.notSet("variable \(key.printable(limit: 80))", environment) }
        }
        for file in setFiles ?? [] {
            own.files.removeAll { $0.path.components == file.path.components }
            own.files.append(file)
        }
        for path in unsetFiles ?? [] {
            guard let index = own.files.firstIndex(where: { $0.path.components == path.components }) else {
                throw Self.notSet("file \(path)", environment)
            }
            own.files.remove(at: index)
        }
        if let service {
            own.variables = variables
            settings.services[service] = own.isEmpty ? nil : own
        } else {
            settings.variables = variables
        }
        settings.secrets.formUnion((setSecrets ?? []).map(\.name))
        for name in unsetSecrets ?? [] {
            guard settings.secrets.remove(name) != nil else { throw Self.notSet("secret \(name)", environment) }
        }
    }

    private var imported: [EnvironmentVariable] {
        get throws {
            guard let importVariables else { return [] }
            do {
                return try EnvironmentFile.read(text: importVariables, file: "the file", variables: [:])
            } catch {
                throw error.kilnError
            }
        }
    }

    private static func notSet(_ what: String, _ environment: Environment_) -> KilnError {
        KilnError(.notFound, "The \(what) is not set by command.", hint: "See what is: kl env config list \(environment.metadata.name)")
    }
}

extension SettingsReport {
    fileprivate init(_ environment: Environment_, _ settings: EnvironmentSettings) {
        let has = Set(environment.spec.secrets.map(\.name))
        let secrets = environment.spec.secrets.map { secret in
            Secret(
                name: secret.name, version: secret.version, isSet: settings.secrets.contains(secret.name),
                services: environment.spec.services.filter { $0.secrets.contains(secret.name) }.map(\.name))
        }
        let used = Set(environment.spec.services.flatMap(\.secrets))
        self.init(settings: settings, secrets: secrets, missingSecrets: used.subtracting(has).sorted())
    }
}
