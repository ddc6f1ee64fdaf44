internal import FoundationEssentials
public import KilnModel

/// The verbs on resources, one per route.
extension APIClient {
    /// `GET /session`
    public func session() async throws -> SessionInfo {
        try await call(Request(method: .GET, path: Routes.session))
    }

    /// `GET /healthz`. Returns when kilnd answers.
    public func alive() async throws {
        try await call(Request(method: .GET, path: "/healthz"))
    }

    /// `GET /readyz`. Returns when kilnd is ready.
    public func ready() async throws {
        try await call(Request(method: .GET, path: "/readyz"))
    }

    /// `GET` of a collection: one page.
    /// - Parameters:
    ///   - filter: which are wanted.
    ///   - after: `next` of the page before.
    ///   - limit: how many at most; nil: as many as kilnd likes to give.
    public func page<Item: Resource>(
        of type: Item.Type, where filter: ListFilter = ListFilter(), after: String? = nil, limit: Int? = nil
    ) async throws -> ResourceList<Item> {
        var query = filter.query
        if let after { query.append(("after", after)) }
        if let limit { query.append(("limit", "\(limit)")) }
        return try await call(Request(method: .GET, path: Routes.collection(Item.kind), query: query))
    }

    /// `GET` of a collection, all pages.
    public func list<Item: Resource>(_ type: Item.Type, where filter: ListFilter = ListFilter()) async throws -> [Item] {
        var page = try await page(of: Item.self, where: filter)
        var items = page.items
        while let next = page.next {
            page = try await self.page(of: Item.self, where: filter, after: next)
            items += page.items
        }
        return items
    }

    public func get<Item: Resource>(_ type: Item.Type, _ reference: Reference) async throws -> Item {
        try await call(Request(method: .GET, path: Routes.item(Item.kind, reference.segment), query: reference.query))
    }

    /// `GET /workspaces/{ref}/report`
    public func report(on workspace: Reference) async throws -> WorkspaceReport {
        try await call(Request(method: .GET, path: Routes.action(.workspace, workspace.segment, .report), query: workspace.query))
    }

    public func create(_ request: CreateWorkmachine) async throws -> Workmachine { try await post(request, to: Routes.collection(.workmachine)) }
    public func create(_ request: CreateWorkspace) async throws -> Workspace { try await post(request, to: Routes.collection(.workspace)) }
    public func create(_ request: CreateEnvironment) async throws -> Environment { try await post(request, to: Routes.collection(.environment)) }

    /// `PUT /environments/{ref}`: makes an environment what a file describes, or makes it from the file.
    /// - Parameter dryRun: only says what would become of each service.
    public func apply(_ request: CreateEnvironment, to environment: Reference, dryRun: Bool = false) async throws -> EnvironmentApplication {
        let query = environment.query + (dryRun ? [("dryRun", "true")] : [])
        let path = Routes.item(.environment, environment.segment)
        return try await call(Request(method: .PUT, path: path, query: query, body: .json(Self.encode(request))))
    }

    public func inspect(_ file: InspectCompose) async throws -> ComposeInspection {
        try await call(Request(method: .POST, path: Routes.compose, body: .json(Self.encode(file))))
    }

    public func report(on file: InspectCompose) async throws -> ComposeReport {
        try await call(Request(method: .POST, path: Routes.composeReport, body: .json(Self.encode(file))))
    }

    /// `PATCH /workspaces/{ref}`
    public func update(_ workspace: Reference, _ change: UpdateWorkspace) async throws -> Workspace {
        try await call(
            Request(method: .PATCH, path: Routes.item(.workspace, workspace.segment), query: workspace.query, body: .json(Self.encode(change)))
        )
    }

    /// Asks for the deletion of a resource; it is gone when the event stream says so.
    /// - Parameter volumes: takes an environment's volumes along.
    public func delete(_ kind: ResourceKind, _ reference: Reference, volumes: Bool = false) async throws {
        let query = reference.query + (volumes ? [("volumes", "true")] : [])
        try await call(Request(method: .DELETE, path: Routes.item(kind, reference.segment), query: query))
    }

    public func suspend(_ workspace: Reference) async throws -> Workspace { try await act(.suspend, on: workspace) }
    public func resume(_ workspace: Reference) async throws -> Workspace { try await act(.resume, on: workspace) }
    public func disconnect(_ workspace: Reference) async throws -> Workspace { try await act(.disconnect, on: workspace) }
    public func start(_ environment: Reference) async throws -> Environment { try await act(.start, on: environment) }
    public func stop(_ environment: Reference) async throws -> Environment { try await act(.stop, on: environment) }

    /// - Parameter services: nil: all of them.
    public func restart(_ services: [Name]?, of environment: Reference) async throws -> Environment {
        try await post(
            RestartServices(services: services), to: Routes.action(.environment, environment.segment, .restart), query: environment.query)
    }

    public func connect(_ workspace: Reference, to environment: QualifiedName) async throws -> Workspace {
        try await post(
            ConnectWorkspace(environment: environment.description), to: Routes.action(.workspace, workspace.segment, .connect), query: workspace.query
        )
    }

    private func act<Item: Resource>(_ action: Routes.Action, on reference: Reference) async throws -> Item {
        try await call(Request(method: .POST, path: Routes.action(Item.kind, reference.segment, action), query: reference.query))
    }

    private func post<Item: Resource>(_ body: some Encodable, to path: String, query: [(String, String)] = []) async throws -> Item {
        try await call(Request(method: .POST, path: path, query: query, body: .json(Self.encode(body))))
    }
}
