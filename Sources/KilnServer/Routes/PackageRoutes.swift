internal import Compose
internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    /// The packages of workspaces.
    func addPackages(to table: inout RouteTable) {
        table.add(.get, Routes.action(.workspace, "{ref}", .packages)) { call in
            try .json(PackagesReport(try await resolve(.workspace, call, .read).resource(Workspace.self)))
        }
        table.add(.post, Routes.action(.workspace, "{ref}", .packages)) { call in
            let id = try await resolve(.workspace, call, .managePackages).id
            let body = try await RequestJSON.decode(AddPackages.self, from: call.request)
            let resolved = try await resolve(body.wishes, isAtomic: body.atomic ?? false)
            return try await changePackages(of: id, .add, resolved, isAtomic: body.atomic ?? false) { $0.adding(resolved.packages) }
        }
        table.add(.put, Routes.action(.workspace, "{ref}", .packages)) { call in
            let id = try await resolve(.workspace, call, .managePackages).id
            let body = try await RequestJSON.decode(PackageLock.self, from: call.request)
            let packages = try body.checked()
            return try await changePackages(of: id, .import) { _ in packages }
        }
        table.add(.post, Routes.action(.workspace, "{ref}", .removePackages)) { call in
            let id = try await resolve(.workspace, call, .managePackages).id
            let body = try await RequestJSON.decode(RemovePackages.self, from: call.request)
            return try await changePackages(of: id, .remove) { try $0.removing(body.packages) }
        }
        table.add(.post, Routes.action(.workspace, "{ref}", .updatePackages)) { call in try await updatePackages(call) }
        table.add(.post, Routes.action(.workspace, "{ref}", .rollBackPackages)) { call in
            let id = try await resolve(.workspace, call, .managePackages).id
            let body = try await RequestJSON.decode(RollBackPackages.self, from: call.request)
            return try answer(try await store.rollBackPackages(of: id, to: body.generation))
        }
        table.add(.post, Routes.action(.workspace, "{ref}", .syncPackages)) { call in try await syncPackages(call) }
        table.add(.get, Routes.action(.workspace, "{ref}", .packageHistory)) { call in
            let id = try await resolve(.workspace, call, .read).id
            return try .json(ResourceList(items: try await store.packageHistory(of: id)))
        }
        table.add(.get, Routes.action(.workspace, "{ref}", .packageOrigins)) { call in
            let workspace = try await resolve(.workspace, call, .read).resource(Workspace.self)
            guard let item = call.query("item"), (1...4096).contains(item.utf8.count) else {
                throw KilnError(.invalidValue, "?item= takes a path or the name of a program.", hint: "?item=jq")
            }
            let origins = try await controller.link.required().origins(of: item, in: try await controller.packagesTarget(of: workspace))
            return try .json(ResourceList(items: origins.map { OriginReport(package: $0.package, chain: $0.chain) }))
        }
    }

    private func updatePackages(_ call: Call) async throws -> Response {
        let document = try await resolve(.workspace, call, .managePackages)
        let body = try await RequestJSON.decode(UpdatePackages.self, from: call.request)
        let workspace = try document.resource(Workspace.self)
        let resolved = try await resolve(workspace.spec.packages.wishesForUpdate(of: body.packages ?? []), isAtomic: false)
        guard body.dryRun ?? false else {
            // What was taken off the list meanwhile stays off.
            return try await changePackages(of: document.id, .update, resolved) { list in
                list.adding(resolved.packages.filter { list.contains($0.name) })
            }
        }
        let changes = PackageChange.between(workspace.spec.packages, workspace.spec.packages.adding(resolved.packages))
        return try .json(PackagesAnswer(workspace: workspace, changes: changes, refused: resolved.refused, download: resolved.download))
    }

    /// What agrees with the file already stays as it is locked; the rest is resolved, all or nothing.
    private func syncPackages(_ call: Call) async throws -> Response {
        let document = try await resolve(.workspace, call, .managePackages)
        let body = try await RequestJSON.decode(SyncPackages.self, from: call.request)
        let wishes = try KilnFile.packages(in: body.file, path: body.path ?? KilnFile.name)
        let locked = try document.resource(Workspace.self).spec.packages
        let missing = wishes.filter { wish in !locked.contains { $0.satisfies(wish) } }
        let resolved = try await resolve(missing, isAtomic: true)
        let isExact = body.exact ?? false
        return try await changePackages(of: document.id, .sync, resolved, isAtomic: true) { list in
            let named = list.adding(resolved.packages)
            return isExact ? named.filter { package in wishes.contains { $0.name == package.name } } : named
        }
    }

    private func changePackages(
        of id: ResourceID, _ deed: PackageGeneration.Deed, _ resolved: ResolvedPackages = .none, isAtomic: Bool = false,
        _ change: @escaping @Sendable ([LockedPackage]) throws -> [LockedPackage]
    ) async throws -> Response {
        try answer(try await store.changePackages(of: id, as: deed, isAtomic: isAtomic, change), resolved)
    }

    private func answer(_ changed: (workspace: Workspace, changes: [PackageChange]), _ resolved: ResolvedPackages = .none) throws -> Response {
        controller.changed(changed.workspace)
        return try .json(
            status: .accepted,
            PackagesAnswer(workspace: changed.workspace, changes: changed.changes, refused: resolved.refused, download: resolved.download))
    }
}
