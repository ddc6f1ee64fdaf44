internal import Compose
internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    func addEnvironments(to table: inout RouteTable) {
        table.add(.post, Routes.collection(.environment)) { call in
            let body = try await RequestJSON.decode(CreateEnvironment.self, from: call.request)
            return try .created(try await createEnvironment(body, call))
        }
        table.add(.delete, Routes.item(.environment, "{ref}")) { call in
            let id = try await resolve(.environment, call, .delete).id
            let volumes = try call.flag("volumes")
            return try .json(status: .accepted, try await store.requestDeletion(Environment_.self, id) { $0.deletesVolumes = volumes })
        }
        table.add(.post, Routes.action(.environment, "{ref}", .start)) { call in
            let id = try await resolve(.environment, call, .start).id
            let again = try await store.resource(Environment_.self, id)?.status.needsAnotherTry ?? false
            return try .json(status: .accepted, try await store.update(Environment_.self, id, again: again) { $0.desiredState = .running })
        }
        table.add(.post, Routes.action(.environment, "{ref}", .stop)) { call in
            let id = try await resolve(.environment, call, .stop).id
            return try .json(status: .accepted, try await store.update(Environment_.self, id) { $0.desiredState = .stopped })
        }
        table.add(.post, Routes.action(.environment, "{ref}", .restart)) { call in
            let environment = try await environment(call, .restart)
            let body = try await RequestJSON.decode(RestartServices.self, from: call.request)
            let names = try body.services?.map { try environment.requireService($0).name } ?? environment.spec.services.map(\.name)
            guard environment.spec.desiredState == .running else {
                let name = environment.metadata.name
                throw KilnError(.wrongPhase, "The environment \(name) is stopped.", hint: "Start it: kl env start \(name)")
            }
            let changed = try await store.update(Environment_.self, environment.metadata.id) { spec in
                for name in Set(names) { spec.generations[name, default: 0] += 1 }
            }
            return try .json(status: .accepted, changed)
        }
    }

    /// The environment that the path names, decoded, once the caller may do `action` to it.
    func environment(_ call: Call, _ action: Action) async throws -> Environment_ {
        let document = try await resolve(.environment, call, action)
        guard let environment = try await store.resource(Environment_.self, document.id) else {
            throw KilnError.noSuch(.environment, document.name.value)
        }
        return environment
    }

    func createEnvironment(_ body: CreateEnvironment, _ call: Call) async throws -> Environment_ {
        let owner = try call.owner()
        try authorise(call, .create, .resource(.environment, owner: owner, id: nil))
        let definition = EnvironmentDefinition(request: body)
        let services = try services(of: definition)
        let workmachine = try await workmachine(named: body.workmachine, owner: owner)
        return try await store.createEnvironment(
            name: body.name, owner: owner, workmachine: workmachine, services: services, source: try RequestJSON.text(definition)
        )
    }

    /// Says what a file needs before it can become an environment.
    func addCompose(to table: inout RouteTable) {
        table.add(.post, Routes.compose) { call in
            try authorise(call, .create, .resource(.environment, owner: try call.owner(), id: nil))
            let body = try await RequestJSON.decode(InspectCompose.self, from: call.request)
            do {
                let variables = try Self.variables(body.variables, beside: body.variablesFile)
                let project = try ComposeFile.read(text: body.compose, file: body.file, variables: variables)
                return try .json(
                    ComposeInspection(
                        contexts: project.contexts.map { .init(path: $0, containerfiles: project.containerfiles(of: $0)) },
                        environmentFiles: project.environmentFiles.map { .init(path: $0.path, required: $0.required) },
                        variables: project.referencedVariables.sorted(), warnings: project.warnings.map(\.description)
                    )
                )
            } catch let error as ComposeError {
                throw error.kilnError
            }
        }
    }

    /// The caller's variables, and under them those of the `.env` beside the file.
    private static func variables(_ set: [String: String], beside file: String?) throws -> [String: String] {
        guard let file else { return set }
        let defaults = try EnvironmentFile.read(text: file, file: ".env", variables: set)
        return Dictionary(defaults.map { ($0.key, $0.value) }) { $1 }.merging(set) { $1 }
    }

    /// Reads what an environment is made of; every build context must have arrived.
    /// - Parameter existing: its services so far, which keep their addresses.
    func services(of definition: EnvironmentDefinition, keeping existing: [KilnModel.Service] = []) throws -> [KilnModel.Service] {
        let body = definition.request
        do {
            let set = body.variables.merging(definition.configuration) { $1 }
            let variables = try Self.variables(set, beside: body.environmentFiles[".env"])
            let project = try ComposeFile.read(text: body.compose, file: body.file, variables: variables)
            for path in project.contexts {
                guard let digest = body.contexts[path], !controller.contexts.contains(digest) else { continue }
                throw KilnError(
                    .invalidBuildContext, "The build context \(path.printable(limit: 80)) was not uploaded.",
                    hint: "Put its tar to \(Routes.context(digest)) first."
                )
            }
            return try project.services(contexts: body.contexts, environmentFiles: body.environmentFiles, keeping: existing)
        } catch let error as ComposeError {
            throw error.kilnError
        }
    }
}

extension Environment_ {
    /// - Throws: `not-found`, with the services there are.
    func requireService(_ name: Name) throws(KilnError) -> KilnModel.Service {
        if let service = spec.services.first(where: { $0.name == name }) { return service }
        let names = spec.services.map(\.name.value).joined(separator: ", ")
        throw KilnError(.notFound, "The environment \(metadata.name) has no service \(name).", hint: "It has \(names).")
    }
}

extension Environment_.Status {
    /// Whether being asked for what is asked for already should raise the version, so that what failed is tried once more.
    var needsAnotherTry: Bool { phase == .failed || phase == .degraded }
}
