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
        let reading = try read(body.bundle)
        let workmachine = try await workmachine(named: body.workmachine, owner: owner)
        return try await store.createEnvironment(
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
