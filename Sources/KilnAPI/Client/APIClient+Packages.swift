internal import FoundationEssentials
public import KilnModel
internal import NIOHTTP1

/// The verbs on packages.
extension APIClient {
    /// `GET /packages`: the best matches first.
    public func search(_ query: PackageQuery) async throws -> [PackageSummary] {
        let list: ResourceList<PackageSummary> = try await call(
            Request(method: .GET, path: Routes.packages, query: [("query", query.text), ("limit", "\(query.limit)")]))
        return list.items
    }

    /// `GET /packages/{name}`
    public func details(of package: PackageName) async throws -> PackageDetails {
        try await call(Request(method: .GET, path: Routes.package(package.value)))
    }

    /// `GET /workspaces/{ref}/packages`
    public func packages(of workspace: Reference) async throws -> PackagesReport { try await get(.packages, of: workspace) }

    /// `POST /workspaces/{ref}/packages`
    public func addPackages(_ request: AddPackages, to workspace: Reference) async throws -> PackagesAnswer {
        try await post(request, to: .packages, of: workspace)
    }

    /// `PUT /workspaces/{ref}/packages`
    /// - Parameter atomic: whether one package that cannot be had keeps all of them away.
    public func importPackages(_ lock: PackageLock, to workspace: Reference, atomic: Bool = false) async throws -> PackagesAnswer {
        try await post(lock, to: .packages, of: workspace, method: .PUT, query: atomic ? [("atomic", "true")] : [])
    }

    /// `POST /workspaces/{ref}/packages/remove`
    public func removePackages(_ request: RemovePackages, from workspace: Reference) async throws -> PackagesAnswer {
        try await post(request, to: .removePackages, of: workspace)
    }

    /// `POST /workspaces/{ref}/packages/update`
    public func updatePackages(_ request: UpdatePackages, of workspace: Reference) async throws -> PackagesAnswer {
        try await post(request, to: .updatePackages, of: workspace)
    }

    /// `POST /workspaces/{ref}/packages/rollback`
    public func rollBackPackages(_ request: RollBackPackages, of workspace: Reference) async throws -> PackagesAnswer {
        try await post(request, to: .rollBackPackages, of: workspace)
    }

    /// `POST /workspaces/{ref}/packages/sync`
    public func syncPackages(_ request: SyncPackages, of workspace: Reference) async throws -> PackagesAnswer {
        try await post(request, to: .syncPackages, of: workspace)
    }

    /// `GET /workspaces/{ref}/packages/history`: newest first.
    public func packageHistory(of workspace: Reference) async throws -> [PackageGeneration] {
        let list: ResourceList<PackageGeneration> = try await get(.packageHistory, of: workspace)
        return list.items
    }

    /// `GET /workspaces/{ref}/packages/origins`
    public func origins(of item: String, in workspace: Reference) async throws -> [OriginReport] {
        let list: ResourceList<OriginReport> = try await get(.packageOrigins, of: workspace, query: [("item", item)])
        return list.items
    }

    /// `GET /workmachines/{ref}/packages`
    public func packageUsage(of workmachine: Reference) async throws -> PackageUsageReport {
        try await call(
            Request(method: .GET, path: Routes.action(.workmachine, workmachine.segment, .packages), query: workmachine.query))
    }

    /// `POST /workmachines/{ref}/packages/collect`: calls `each` with every line of the answer.
    public func collectGarbage(on workmachine: Reference, _ each: (CollectionLine) async throws -> Void) async throws {
        let path = Routes.action(.workmachine, workmachine.segment, .collectPackages)
        try await exchange(Request(method: .POST, path: path, query: workmachine.query)) { answer in
            var lines = LineSplitter()
            while let piece = try await answer.next() {
                for line in lines.append(piece.readableBytesView) where !line.isEmpty {
                    try await each(Self.decode(CollectionLine.self, from: Array(line.utf8)))
                }
            }
        }
    }

    private func get<Value: Decodable>(
        _ action: Routes.Action, of workspace: Reference, query: [(String, String)] = []
    ) async throws -> Value {
        try await call(
            Request(method: .GET, path: Routes.action(.workspace, workspace.segment, action), query: workspace.query + query))
    }

    private func post(
        _ body: some Encodable, to action: Routes.Action, of workspace: Reference, method: HTTPMethod = .POST, query: [(String, String)] = []
    ) async throws -> PackagesAnswer {
        try await call(
            Request(
                method: method, path: Routes.action(.workspace, workspace.segment, action), query: workspace.query + query,
                body: .json(Self.encode(body))))
    }
}
