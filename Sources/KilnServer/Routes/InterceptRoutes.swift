internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    func addIntercepts(to table: inout RouteTable) {
        table.add(
            .post, Routes.action(.workspace, "{ref}", .intercept),
            .init(
                "startIntercept", "Send ports of a service to a workspace.", body: .json(StartIntercept.self), answers: .accepted(Workspace.self),
                isConditional: true)
        ) { call in try await intercept(call) }
        table.add(
            .post, Routes.action(.workspace, "{ref}", .release),
            .init(
                "stopIntercept", "End a workspace's intercepts, of one service or all.", body: .json(StopIntercept.self),
                answers: .accepted(Workspace.self), isConditional: true)
        ) { call in
            let (id, version) = try await target(.workspace, call, .release)
            let body = try await call.body(StopIntercept.self)
            let workspace = try await call.store.releaseIntercepts(
                id, service: body.service, ports: body.ports.map(Set.init), expecting: version)
            controller.changed(workspace)
            return try .json(status: .accepted, workspace)
        }
        table.add(
            .get, Routes.action(.workspace, "{ref}", .intercepts),
            .init(
                "reportIntercepts", "A page of what a workspace intercepts, by service and port, with what passed through.",
                .init("after", "The next of the page before."), .init("limit", "How many at most: 1 to 500, else 100.", Int.self),
                answers: .ok(ResourceList<InterceptReport>.self))
        ) { call in
            let document = try await resolve(.workspace, call, .report)
            let workspace = try document.resource(Workspace.self)
            return try .json(try page(of: try await interceptReports(of: workspace, call), call) { $0.intercept.key })
        }
        table.add(
            .get, Routes.action(.environment, "{ref}", .intercepts),
            .init(
                "listIntercepts", "A page of everybody's intercepts in an environment, by service and port.",
                .init("after", "The next of the page before."), .init("limit", "How many at most: 1 to 500, else 100.", Int.self),
                answers: .ok(ResourceList<InterceptSummary>.self))
        ) { call in
            let id = try await resolve(.environment, call, .read).id
            return try .json(try page(of: try await interceptSummaries(in: id), call, by: \.key))
        }
        table.add(
            .get, Routes.action(.environment, "{ref}", .surroundings),
            .init(
                "getSurroundings", "What a service runs with, for code that answers in its place.",
                .init("service", "Which service.", Name.self, isRequired: true), answers: .ok(ServiceSurroundings.self))
        ) { call in
            let document = try await resolve(.environment, call, .surroundings)
            let environment = try document.resource(Environment_.self)
            guard let text = call.query("service") else { throw KilnError(.invalidValue, "?service=NAME is missing.") }
            let name = try Name(text)
            guard let service = environment.spec.services.first(where: { $0.name == name }) else { throw KilnError.noService(name, in: environment) }
            let seesSecrets = Permissions.decide(call.identity, .readValues, document.subject(.environment)) == .allow
            return try .json(ServiceSurroundings(service, secrets: seesSecrets))
        }
    }

    private func page<Item>(of items: [Item], _ call: Call, by key: (Item) -> Intercept.Key) throws -> ResourceList<Item> {
        let after = try call.query("after").map { try Intercept.Key($0) }
        let rest = items.filter { item in after.map { $0 < key(item) } ?? true }.sorted { key($0) < key($1) }
        let page = rest.prefix(try call.number("limit", in: 1...500) ?? 100)
        return ResourceList(items: Array(page), next: page.count < rest.count ? page.last.map { key($0).description } : nil)
    }

    private func intercept(_ call: Call) async throws -> Response {
        let document = try await resolve(.workspace, call, .intercept)
        let version = try call.expectedVersion(of: document, .workspace)
        let body = try await call.body(StartIntercept.self)
        guard let connection = document.connection, let environment = try await store.document(.environment, connection) else {
            throw KilnError.notConnected(document.name)
        }
        // Whoever could connect may have lost the right to.
        try authorise(
            call, .connect, environment.subject(.environment), named: environment.name.value
        )
        let workspace = try await call.store.intercept(
            document.id, in: environment.id, body.wish, takeOver: body.takeOver ?? false, expecting: version)
        controller.changed(workspace)
        return try .json(status: .accepted, workspace)
    }

    /// Everything that is intercepted in an environment.
    func interceptSummaries(in environment: ResourceID) async throws -> [InterceptSummary] {
        try await store.workspaces(interceptingIn: environment).flatMap { InterceptSummary.all(of: $0).filter { $0.phase != .lost } }
    }
}

extension ServiceSurroundings {
    /// - Parameter seesSecrets: whether the names of secrets are told, and where they are mounted.
    init(_ service: KilnModel.Service, secrets seesSecrets: Bool) {
        let files = service.files.compactMap { file -> Mount? in
            let source: String
            switch file.source {
            case .copy(let copy): source = copy.origin
            case .text: source = file.name ?? "text"
            case .secret(let secret):
                guard seesSecrets else { return nil }
                source = "secret \(secret)"
            }
            return Mount(volume: source, path: file.path.value, readOnly: file.readOnly)
        }
        self.init(
            service: service.name, variables: service.variables,
            mounts: service.volumes.map { Mount(volume: $0.volume.value, path: $0.path, readOnly: $0.readOnly) } + files,
            secrets: seesSecrets ? service.secrets.map(\.value).sorted() : [])
    }
}
