internal import Hummingbird
internal import KilnAPI
internal import KilnModel
internal import KilnStore

extension Backend {
    /// `PUT /api/v1/environments/{ref}`: makes an environment what a file describes; one that does not exist is made. `?dryRun=true` only
    /// answers what would become of each service.
    func addApplication(to table: inout RouteTable) {
        table.add(.put, Routes.item(.environment, "{ref}")) { call in
            let body = try await RequestJSON.decode(CreateEnvironment.self, from: call.request)
            let isDry = try call.flag("dryRun")
            if let existing = try await existing(call) { return try await apply(body, to: existing, isDry: isDry, call) }
            guard try call.reference() == body.name.value else { throw KilnError.noSuch(.environment, try call.reference()) }
            guard !isDry else {
                try authorise(call, .create, .resource(.environment, owner: try call.owner(), id: nil))
                let plan = ApplyPlan(from: [], to: try services(of: EnvironmentDefinition(request: body)))
                return try .json(EnvironmentApplication(plan: plan, environment: nil))
            }
            let created = try await createEnvironment(body, call)
            return try .json(
                status: .created, EnvironmentApplication(plan: ApplyPlan(from: [], to: created.spec.services), environment: created))
        }
    }

    private func existing(_ call: Call) async throws -> Environment_? {
        do {
            return try await environment(call, .update)
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
        var definition = try await definition(of: existing) ?? EnvironmentDefinition(request: body)
        definition.request = body
        return try .json(
            status: isDry ? .ok : .accepted, try await apply(definition, to: existing, isDry: isDry))
    }

    /// Works out the services that `definition` gives `existing`, and unless `isDry` has them come about.
    func apply(_ definition: EnvironmentDefinition, to existing: Environment_, isDry: Bool = false) async throws -> EnvironmentApplication {
        let services = try services(of: definition, keeping: existing.spec.services)
        let plan = ApplyPlan(from: existing.spec.services, to: services)
        guard !isDry else { return EnvironmentApplication(plan: plan, environment: existing) }
        let changed = try await store.apply(
            services, source: try RequestJSON.text(definition), to: existing.metadata.id, expecting: existing.metadata.version,
            again: existing.status.needsAnotherTry)
        return EnvironmentApplication(plan: plan, environment: changed)
    }

    /// What an environment was made of; nil for one that was not made of a file.
    func definition(of environment: Environment_) async throws -> EnvironmentDefinition? {
        guard let text = try await store.source(of: environment.metadata.id) else { return nil }
        return try RequestJSON.decode(EnvironmentDefinition.self, from: text)
    }
}
