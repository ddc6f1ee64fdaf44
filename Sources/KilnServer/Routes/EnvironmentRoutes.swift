internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    func addEnvironments(to table: inout RouteTable) {
        table.add(
            .post, Routes.collection(.environment),
            .init(
                "createEnvironment", "Make an environment from Compose files and start it.", .owner, body: .json(CreateEnvironment.self),
                answers: .created(Environment_.self))
        ) { call in
            try .created(try await createEnvironment(try await call.body(CreateEnvironment.self), call))
        }
        table.add(
            .delete, Routes.item(.environment, "{ref}"),
            .init(
                "deleteEnvironment", "Delete an environment.", .init("volumes", "Take its volumes along.", Bool.self),
                answers: .accepted(Environment_.self), isConditional: true)
        ) { call in
            let (id, version) = try await target(.environment, call, .delete)
            let volumes = try call.flag("volumes")
            let changed = try await call.store.requestDeletion(Environment_.self, id, expecting: version) { $0.deletesVolumes = volumes }
            return try .json(status: .accepted, changed)
        }
        table.add(
            .post, Routes.action(.environment, "{ref}", .start),
            .init("startEnvironment", "Start an environment, or try again what failed.", answers: .accepted(Environment_.self), isConditional: true)
        ) { call in
            let (id, version) = try await target(.environment, call, .start)
            let again = try await store.resource(Environment_.self, id)?.status.needsAnotherTry ?? false
            let changed = try await call.store.update(Environment_.self, id, expecting: version, again: again) { $0.desiredState = .running }
            return try .json(status: .accepted, changed)
        }
        table.add(
            .post, Routes.action(.environment, "{ref}", .stop),
            .init("stopEnvironment", "Stop an environment; volumes stay.", answers: .accepted(Environment_.self), isConditional: true)
        ) { call in
            let (id, version) = try await target(.environment, call, .stop)
            return try .json(status: .accepted, try await call.store.update(Environment_.self, id, expecting: version) { $0.desiredState = .stopped })
        }
        table.add(
            .post, Routes.action(.environment, "{ref}", .restart),
            .init(
                "restartServices", "Start services afresh, in new containers.", body: .json(RestartServices.self),
                answers: .accepted(Environment_.self), isConditional: true)
        ) { call in
            let document = try await resolve(.environment, call, .restart)
            let version = try call.expectedVersion(of: document, .environment)
            let environment = try document.resource(Environment_.self)
            let body = try await call.body(RestartServices.self)
            let names = try body.services?.map { try environment.requireService($0).name } ?? environment.spec.services.map(\.name)
            guard environment.spec.desiredState == .running else {
                let name = environment.metadata.name
                throw KilnError(.wrongPhase, "The environment \(name) is stopped.", hint: "Start it: kl env start \(name)")
            }
            let changed = try await call.store.update(Environment_.self, environment.metadata.id, expecting: version) { spec in
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
        call.note.wishes(for: body.name)
        let reading = try read(EnvironmentDefinition(body), setting: body.setSecrets)
        let workmachine = try await workmachine(named: body.workmachine, owner: owner)
        return try await call.store.createEnvironment(
            name: body.name, owner: owner, workmachine: workmachine, services: reading.services, secrets: reading.secrets,
            source: try reading.definition.text
        )
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

extension CreateEnvironment {
    /// The values of the secrets that were set by command where it comes from.
    fileprivate var setSecrets: [SecretName: SecretBytes] {
        let names = settings?.secrets ?? []
        return Dictionary(bundle.secrets.filter { names.contains($0.name) }.map { ($0.name, $0.value) }) { $1 }
    }
}
