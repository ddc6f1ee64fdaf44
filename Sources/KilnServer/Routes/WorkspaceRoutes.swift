internal import Hummingbird
internal import KilnAPI
internal import KilnModel
internal import KilnStore

extension Backend {
    func addWorkspaces(to table: inout RouteTable) {
        table.add(.post, Routes.collection(.workspace)) { call in try await createWorkspace(call) }
        table.add(.patch, Routes.item(.workspace, "{ref}")) { call in
            let id = try await resolve(.workspace, call, .update).id
            let body = try await RequestJSON.decode(UpdateWorkspace.self, from: call.request)
            let host = controller.link.info
            let workspace = try await store.update(Workspace.self, id, expecting: body.version) { spec in
                spec.limits = try Defaults.limits(spec.limits, milliCPUs: body.milliCPUs, memory: body.memory, host: host)
                if let variables = body.variables { spec.variables = variables }
            }
            return try .json(workspace)
        }
        table.add(.delete, Routes.item(.workspace, "{ref}")) { call in
            let id = try await resolve(.workspace, call, .delete).id
            return try .json(status: .accepted, try await store.requestDeletion(Workspace.self, id))
        }
        table.add(.post, Routes.action(.workspace, "{ref}", .suspend)) { call in
            let document = try await resolve(.workspace, call, .suspend)
            return try .json(status: .accepted, try await set(.suspended, of: document))
        }
        table.add(.post, Routes.action(.workspace, "{ref}", .resume)) { call in
            let document = try await resolve(.workspace, call, .resume)
            return try .json(status: .accepted, try await set(.running, of: document))
        }
        table.add(.post, Routes.action(.workspace, "{ref}", .connect)) { call in try await connect(call) }
        table.add(.post, Routes.action(.workspace, "{ref}", .disconnect)) { call in
            let id = try await resolve(.workspace, call, .disconnect).id
            return try .json(status: .accepted, try await store.update(Workspace.self, id) { $0.connection = nil })
        }
    }

    private func createWorkspace(_ call: Call) async throws -> Response {
        let owner = try call.owner()
        try authorise(call, .create, .resource(.workspace, owner: owner, id: nil))
        let body = try await RequestJSON.decode(CreateWorkspace.self, from: call.request)
        // A workspace that lacks what it was asked to have is none that was asked for.
        let packages = try await resolve((body.packages ?? []).map { $0.wish() }, isAtomic: true).packages
        let draft = WorkspaceDraft(
            workmachine: try await workmachine(named: body.workmachine, owner: owner),
            image: try body.image ?? ImageReference(Defaults.image),
            limits: try Defaults.limits(milliCPUs: body.milliCPUs, memory: body.memory, host: controller.link.info),
            variables: body.variables ?? [], repository: body.repository, packages: [].adding(packages)
        )
        return try .created(try await store.createWorkspace(name: body.name, owner: owner, draft))
    }

    /// Asking for what is already asked for tries again what has failed.
    private func set(_ state: Workspace.DesiredState, of document: Document) async throws -> Workspace {
        let failed = try await store.resource(Workspace.self, document.id)?.status.phase == .failed
        return try await store.update(Workspace.self, document.id, again: failed) { $0.desiredState = state }
    }

    private func connect(_ call: Call) async throws -> Response {
        let document = try await resolve(.workspace, call, .connect)
        let body = try await RequestJSON.decode(ConnectWorkspace.self, from: call.request)
        let name = try QualifiedName(body.environment)
        // Without an owner it is one of the workspace's owner's.
        let target = try await resolve(.environment, name.name.value, owner: name.owner ?? document.owner, call, .connect)
        guard let environment = try await store.resource(Environment_.self, target.id) else { throw KilnError.noSuch(.environment, body.environment) }
        guard environment.spec.desiredState == .running else {
            throw KilnError(
                .wrongPhase, "The environment \(environment.metadata.name) is stopped.", hint: "Start it: kl env start \(environment.metadata.name)")
        }
        let failed = try await store.resource(Workspace.self, document.id)?.status.connection?.phase == .failed
        return try .json(status: .accepted, try await store.connect(document.id, to: target.id, again: failed))
    }
}
