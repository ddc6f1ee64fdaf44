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
                let plan = ApplyPlan(from: [], to: try read(body.bundle).services)
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
        let configuration = try await definition(of: existing)?.configuration ?? [:]
        let reading = try read(body.bundle, configuration: configuration, for: existing)
        return try .json(status: isDry ? .ok : .accepted, try await apply(reading, to: existing, isDry: isDry))
    }

    /// Has an environment become what was read, unless `isDry`.
    func apply(_ reading: EnvironmentReading, to existing: Environment_, isDry: Bool = false) async throws -> EnvironmentApplication {
        let plan = ApplyPlan(from: existing.spec.services, to: reading.services)
        guard !isDry else { return EnvironmentApplication(plan: plan, environment: existing) }
        let changed = try await store.apply(
            reading.services, secrets: reading.secrets, source: try reading.definition.text, to: existing.metadata.id,
            expecting: existing.metadata.version, again: existing.status.needsAnotherTry)
        return EnvironmentApplication(plan: plan, environment: changed)
    }
}
