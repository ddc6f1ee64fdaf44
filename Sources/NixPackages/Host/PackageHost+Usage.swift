public import KilnModel

extension PackageHost {
    /// What the store and the views of a machine's workspaces take.
    public func usage(of machine: ResourceID) async throws -> PackageUsage {
        let graph = try await store.graph()
        let shares = try store.roots.workspaces(of: machine).map { workspace in
            let packages = try views.current(of: workspace)?.packages ?? []
            return PackageUsage.Share(workspace: workspace, size: graph.size(ofClosure: packages.map(\.storePath)))
        }
        return PackageUsage(
            store: graph.nodes.values.reduce(0) { $0 + $1.size }, collectable: try await collectable(on: machine, in: graph),
            shares: shares.sorted { $0.workspace < $1.workspace })
    }

    /// Bytes that the machine's owner would free by collecting now: what nothing keeps, and what only dropped packages do.
    func collectable(on machine: ResourceID, in graph: StoreGraph) async throws -> Int {
        var garbage = try await store.garbage()
        var needed: [StorePath] = []
        for holder in try store.roots.holders() where holder != .released(machine) { needed += try store.roots.paths(of: holder) }
        let released = graph.closure(of: try store.roots.paths(of: .released(machine)))
        garbage.formUnion(released.subtracting(graph.closure(of: needed)))
        return garbage.reduce(0) { $0 + (graph.nodes[$1]?.size ?? 0) }
    }

    /// Which of a workspace's packages `item` belongs to, and by way of what. `item` is a path of the store or in it, a path in the view, or the
    /// name of a program or of a package.
    /// - Returns: for each package that needs it, the way there, both ends included.
    /// - Throws: `package-not-found` when nothing by that name is in the view.
    public func origins(
        of item: String, in workspace: ResourceID, packages: [LockedPackage]
    ) async throws -> [(package: PackageName, chain: [StorePath])] {
        let target: StorePath
        do {
            target = try ViewItem(item, profile: "\(views.path(of: workspace))/profile").storePath
        } catch {
            guard let package = packages.first(where: { $0.name.value == item }) else { throw error }
            target = package.storePath
        }
        let graph = try await store.graph(ofClosure: packages.map(\.storePath))
        return packages.compactMap { package in
            graph.chain(from: package.storePath, to: target).map { (package.name, $0) }
        }
    }
}
