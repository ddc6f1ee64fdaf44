internal import Hummingbird
internal import KilnAPI
internal import KilnModel
internal import KilnStore

extension Backend {
    func addIntercepts(to table: inout RouteTable) {
        table.add(.post, Routes.action(.workspace, "{ref}", .intercept)) { call in try await intercept(call) }
        table.add(.post, Routes.action(.workspace, "{ref}", .release)) { call in
            let id = try await resolve(.workspace, call, .release).id
            let body = try await RequestJSON.decode(StopIntercept.self, from: call.request)
            return try .json(status: .accepted, try await store.releaseIntercepts(id, service: body.service))
        }
        table.add(.get, Routes.action(.workspace, "{ref}", .intercepts)) { call in
            let document = try await resolve(.workspace, call, .report)
            let workspace = try document.resource(Workspace.self)
            return try .json(ResourceList(items: try await interceptReports(of: workspace, call)))
        }
        table.add(.get, Routes.action(.environment, "{ref}", .intercepts)) { call in
            let id = try await resolve(.environment, call, .read).id
            return try .json(ResourceList(items: try await interceptSummaries(in: id)))
        }
        table.add(.get, Routes.action(.environment, "{ref}", .surroundings)) { call in
            let environment = try await resolve(.environment, call, .read).resource(Environment_.self)
            guard let text = call.query("service") else { throw KilnError(.invalidValue, "?service=NAME is missing.") }
            let name = try Name(text)
            guard let service = environment.spec.services.first(where: { $0.name == name }) else { throw KilnError.noService(name, in: environment) }
            return try .json(ServiceSurroundings(service))
        }
    }

    private func intercept(_ call: Call) async throws -> Response {
        let document = try await resolve(.workspace, call, .intercept)
        let body = try await RequestJSON.decode(StartIntercept.self, from: call.request)
        guard let connection = try document.resource(Workspace.self).spec.connection,
            let environment = try await store.document(.environment, connection)
        else { throw KilnError.notConnected(document.name) }
        // Whoever could connect may have lost the right to.
        try authorise(
            call, .connect, .resource(.environment, owner: environment.owner, id: environment.id), named: environment.name.value
        )
        let workspace = try await store.intercept(document.id, in: environment.id, body.wish, takeOver: body.takeOver ?? false)
        return try .json(status: .accepted, workspace)
    }

    /// Everything that is intercepted in an environment.
    func interceptSummaries(in environment: ResourceID) async throws -> [InterceptSummary] {
        try await store.workspaces(interceptingIn: environment).flatMap { InterceptSummary.all(of: $0).filter { $0.phase != .lost } }
    }
}

extension ServiceSurroundings {
    init(_ service: KilnModel.Service) {
        self.init(
            service: service.name, variables: service.variables,
            mounts: service.volumes.map { Mount(volume: $0.volume.value, path: $0.path, readOnly: $0.readOnly) }, secrets: []
        )
    }
}
