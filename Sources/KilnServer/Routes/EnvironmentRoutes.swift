internal import Hummingbird
internal import KilnAPI
internal import KilnModel
internal import KilnStore

extension Backend {
    func addEnvironments(to table: inout RouteTable) {
        table.add(.post, Routes.collection(.environment)) { call in
            let owner = try call.owner()
            try authorise(call, .create, .resource(.environment, owner: owner, id: nil))
            let body = try await RequestJSON.decode(CreateEnvironment.self, from: call.request)
            let read = try read(body.bundle, secrets: [], keeping: [])
            let workmachine = try await workmachine(named: body.workmachine, owner: owner)
            return try .created(
                try await store.createEnvironment(
                    name: body.name, owner: owner, workmachine: workmachine, services: read.services, secrets: read.secrets)
            )
        }
        table.add(.delete, Routes.item(.environment, "{ref}")) { call in
            let id = try await resolve(.environment, call, .delete).id
            let volumes = try call.flag("volumes")
            return try .json(status: .accepted, try await store.requestDeletion(Environment_.self, id) { $0.deletesVolumes = volumes })
        }
        table.add(.post, Routes.action(.environment, "{ref}", .start)) { call in
            let id = try await resolve(.environment, call, .start).id
            let phase = try await store.resource(Environment_.self, id)?.status.phase
            let again = phase == .failed || phase == .degraded
            return try .json(status: .accepted, try await store.update(Environment_.self, id, again: again) { $0.desiredState = .running })
        }
        table.add(.post, Routes.action(.environment, "{ref}", .stop)) { call in
            let id = try await resolve(.environment, call, .stop).id
            return try .json(status: .accepted, try await store.update(Environment_.self, id) { $0.desiredState = .stopped })
        }
    }
}
