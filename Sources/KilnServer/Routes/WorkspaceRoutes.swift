internal import HTTPTypes
internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    func addWorkspaces(to table: inout RouteTable) {
        table.add(
            .post, Routes.collection(.workspace),
            .init("createWorkspace", "Make a workspace and start it.", .owner, body: .json(CreateWorkspace.self), answers: .created(Workspace.self))
        ) { call in try await createWorkspace(call) }
        table.add(
            .patch, Routes.item(.workspace, "{ref}"),
            .init(
                "updateWorkspace", "Change a workspace's limits and variables.", body: .json(UpdateWorkspace.self), answers: .ok(Workspace.self),
                isConditional: true)
        ) { call in
            let (id, version) = try await target(.workspace, call, .update)
            let body = try await call.body(UpdateWorkspace.self)
            guard body.version != nil || call.request.headers[.ifMatch] != nil else {
                throw KilnError(.invalidValue, "The request does not say what it was made from.", hint: "Send If-Match, or the field version.")
            }
            try Workspace.check(body.variables ?? [])
            let host = controller.link.info
            let workspace = try await call.store.update(Workspace.self, id, expecting: body.version ?? version) { spec in
                spec.limits = try Defaults.limits(spec.limits, milliCPUs: body.milliCPUs, memory: body.memory, host: host)
                if let variables = body.variables { spec.variables = variables }
            }
            return try .json(workspace)
        }
        table.add(
            .delete, Routes.item(.workspace, "{ref}"),
            .init("deleteWorkspace", "Delete a workspace and its folder.", answers: .accepted(Workspace.self), isConditional: true)
        ) { call in
            let (id, version) = try await target(.workspace, call, .delete)
            return try .json(status: .accepted, try await call.store.requestDeletion(Workspace.self, id, expecting: version))
        }
        table.add(
            .post, Routes.action(.workspace, "{ref}", .suspend),
            .init("suspendWorkspace", "End a workspace's container; its home stays.", answers: .accepted(Workspace.self), isConditional: true)
        ) { call in try await set(.suspended, .suspend, call) }
        table.add(
            .post, Routes.action(.workspace, "{ref}", .resume),
            .init(
                "resumeWorkspace", "Give a workspace a fresh container, or try again what failed.", answers: .accepted(Workspace.self),
                isConditional: true)
        ) { call in try await set(.running, .resume, call) }
        table.add(
            .post, Routes.action(.workspace, "{ref}", .connect),
            .init(
                "connectWorkspace", "Let a workspace see an environment's services by name.", body: .json(ConnectWorkspace.self),
                answers: .accepted(Workspace.self), isConditional: true)
        ) { call in try await connect(call) }
        table.add(
            .post, Routes.action(.workspace, "{ref}", .disconnect),
            .init("disconnectWorkspace", "End a workspace's connection.", answers: .accepted(Workspace.self), isConditional: true)
        ) { call in
            let (id, version) = try await target(.workspace, call, .disconnect)
            return try .json(status: .accepted, try await call.store.update(Workspace.self, id, expecting: version) { $0.connection = nil })
        }
    }

    private func createWorkspace(_ call: Call) async throws -> Response {
        let owner = try call.owner()
        try authorise(call, .create, .resource(.workspace, owner: owner, id: nil))
        let body = try await call.body(CreateWorkspace.self)
        call.note.wishes(for: body.name)
        try Workspace.check(body.variables ?? [])
        // A workspace that lacks what it was asked to have is none that was asked for.
        let packages = try await resolve((body.packages ?? []).map { $0.wish() }, isAtomic: true).packages
        let draft = WorkspaceDraft(
            workmachine: try await workmachine(named: body.workmachine, owner: owner),
            image: try body.image ?? ImageReference(Defaults.image),
            limits: try Defaults.limits(milliCPUs: body.milliCPUs, memory: body.memory, host: controller.link.info),
            variables: body.variables ?? [], repository: body.repository, packages: [].adding(packages)
        )
        return try .created(try await call.store.createWorkspace(name: body.name, owner: owner, draft))
    }

    /// Asking for what is already asked for tries again what has failed.
    private func set(_ state: Workspace.DesiredState, _ action: Action, _ call: Call) async throws -> Response {
        let (id, version) = try await target(.workspace, call, action)
        let failed = try await store.resource(Workspace.self, id)?.status.phase == .failed
        return try .json(
            status: .accepted, try await call.store.update(Workspace.self, id, expecting: version, again: failed) { $0.desiredState = state })
    }

    private func connect(_ call: Call) async throws -> Response {
        let document = try await resolve(.workspace, call, .connect)
        let version = try call.expectedVersion(of: document, .workspace)
        let body = try await call.body(ConnectWorkspace.self)
        let name = try QualifiedName(body.environment)
        // Without an owner it is one of the workspace's owner's.
        let target = try await resolve(.environment, name.name.value, owner: name.owner ?? document.owner, call, .connect)
        guard let environment = try await store.resource(Environment_.self, target.id) else { throw KilnError.noSuch(.environment, body.environment) }
        guard environment.spec.desiredState == .running else {
            throw KilnError(
                .wrongPhase, "The environment \(environment.metadata.name) is stopped.", hint: "Start it: kl env start \(environment.metadata.name)")
        }
        let failed = try await store.resource(Workspace.self, document.id)?.status.connection?.phase == .failed
        return try .json(status: .accepted, try await call.store.connect(document.id, to: target.id, expecting: version, again: failed))
    }
}
