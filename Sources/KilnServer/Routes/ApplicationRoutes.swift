internal import HTTPTypes
internal import Hummingbird
internal import KilnAPI
internal import KilnModel
internal import KilnStore

extension Backend {
    /// `PUT /api/v1/environments/{ref}`: makes an environment what a file describes; one that does not exist is made. `?dryRun=true` only
    /// answers what would become of each service.
    func addApplication(to table: inout RouteTable) {
        table.add(
            .put, Routes.item(.environment, "{ref}"),
            .init(
                "applyEnvironment", "Make an environment what Compose files say; one that does not exist is made.",
                .init("dryRun", "Only answer what would become of each service.", Bool.self), body: .json(CreateEnvironment.self),
                answers: .ok(EnvironmentApplication.self), .created(EnvironmentApplication.self), .accepted(EnvironmentApplication.self),
                isConditional: true)
        ) { call in
            let body = try await call.body(CreateEnvironment.self)
            let isDry = try call.flag("dryRun")
            if let existing = try await existing(call) { return try await apply(body, to: existing, isDry: isDry, call) }
            guard call.request.headers[.ifMatch] == nil else {
                throw KilnError(
                    .staleVersion, "There is no environment \(body.name) any more, of whatever version.", hint: "Repeat it without If-Match.")
            }
            guard try call.reference() == body.name.value else { throw KilnError.noSuch(.environment, try call.reference()) }
            guard !isDry else {
                try authorise(call, .create, .resource(.environment, owner: try call.owner(), id: nil))
                let plan = ApplyPlan(from: [], to: try read(EnvironmentDefinition(body)).services)
                return try .json(EnvironmentApplication(plan: plan, environment: nil))
            }
            let created = try await createEnvironment(body, call)
            return try .json(
                status: .created, EnvironmentApplication(plan: ApplyPlan(from: [], to: created.spec.services), environment: created))
        }
    }

    private func existing(_ call: Call) async throws -> Environment_? {
        do {
            let document = try await resolve(.environment, call, .update)
            _ = try call.expectedVersion(of: document, .environment)
            return try document.resource(Environment_.self)
        } catch let error as KilnError where error.code == .notFound {
            return nil
        }
    }

    private func apply(_ body: CreateEnvironment, to existing: Environment_, isDry: Bool, _ call: Call) async throws -> Response {
        let name = existing.metadata.name
        guard body.name == name else {
            throw KilnError(.invalidValue, "The file is for \(body.name), the environment is \(name).", hint: "An environment cannot be renamed.")
        }
        if let wanted = body.workmachine, try await workmachine(named: wanted, owner: existing.metadata.owner) != existing.spec.workmachine {
            throw KilnError(
                .invalidValue, "\(name) lives on another workmachine than \(wanted), and its volumes with it.", hint: "Leave out --workmachine.")
        }
        guard body.settings == nil else {
            throw KilnError(.invalidValue, "\(name) exists, and has settings of its own.", hint: "Change them: kl env config set \(name) KEY=VALUE")
        }
        var definition = EnvironmentDefinition(body)
        if try await store.source(of: existing.metadata.id) != nil { definition.settings = try await self.definition(of: existing).settings }
        let reading = try read(definition, for: existing)
        return try .json(status: isDry ? .ok : .accepted, try await apply(reading, to: existing, isDry: isDry, call))
    }

    /// Has an environment become what was read, unless `isDry`.
    func apply(
        _ reading: EnvironmentReading, to existing: Environment_, removing removed: Set<SecretName> = [], isDry: Bool = false, _ call: Call
    ) async throws -> EnvironmentApplication {
        let before = try await store.secretValues(of: existing.metadata.id).map { ($0.name, $0.value) }
        let values = Dictionary(before) { first, _ in first }
        let changed = Set(reading.secrets.filter { values[$0.key] != $0.value }.keys)
        let plan = ApplyPlan(from: existing.spec.services, to: reading.services, secrets: changed)
        guard !isDry else { return EnvironmentApplication(plan: plan, environment: existing) }
        let environment = try await call.store.apply(
            reading.services, secrets: reading.secrets, removing: removed, source: try reading.definition.text, to: existing.metadata.id,
            expecting: existing.metadata.version, again: existing.status.needsAnotherTry)
        return EnvironmentApplication(plan: plan, environment: environment)
    }
}

extension EnvironmentDefinition {
    init(_ request: CreateEnvironment) {
        self.init(bundle: request.bundle, settings: request.settings ?? EnvironmentSettings())
        // What was set by command is kept apart.
        bundle.secrets.removeAll { settings.secrets.contains($0.name) }
    }
}
