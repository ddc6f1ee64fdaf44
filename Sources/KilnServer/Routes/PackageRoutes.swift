internal import Compose
internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore

extension Backend {
    /// The packages of workspaces.
    func addPackages(to table: inout RouteTable) {
        let path = Routes.action(.workspace, "{ref}", .packages)
        table.add(.get, path, .init("listWorkspacePackages", "A workspace's packages, and which are there.", answers: .ok(PackagesReport.self))) {
            call in
            try .json(PackagesReport(try await resolve(.workspace, call, .read).resource(Workspace.self)))
        }
        table.add(
            .post, path,
            .init(
                "addPackages", "Put packages on a workspace's list.", body: .json(AddPackages.self), answers: .accepted(PackagesAnswer.self),
                isConditional: true)
        ) { call in
            let target = try await target(.workspace, call, .managePackages)
            let body = try await call.body(AddPackages.self)
            let resolved = try await resolve(body.wishes, isAtomic: body.atomic ?? false)
            return try await changePackages(call, of: target, .add, resolved, isAtomic: body.atomic ?? false) { $0.adding(resolved.packages) }
        }
        table.add(
            .put, path,
            .init(
                "replacePackages", "Give a workspace the list that another one has.",
                .init("atomic", "Whether one package that cannot be had keeps all of them away.", Bool.self), body: .json(PackageLock.self),
                answers: .accepted(PackagesAnswer.self), isConditional: true)
        ) { call in
            let target = try await target(.workspace, call, .managePackages)
            let body = try await call.body(PackageLock.self)
            let packages = try body.checked()
            return try await changePackages(call, of: target, .import, isAtomic: try call.flag("atomic")) { _ in packages }
        }
        table.add(
            .post, Routes.action(.workspace, "{ref}", .removePackages),
            .init(
                "removePackages", "Take packages off a workspace's list.", body: .json(RemovePackages.self), answers: .accepted(PackagesAnswer.self),
                isConditional: true)
        ) { call in
            let target = try await target(.workspace, call, .managePackages)
            let body = try await call.body(RemovePackages.self)
            return try await changePackages(call, of: target, .remove) { try $0.removing(body.packages) }
        }
        table.add(
            .post, Routes.action(.workspace, "{ref}", .updatePackages),
            .init(
                "updatePackages", "Take the newest versions that the wishes allow.", body: .json(UpdatePackages.self),
                answers: .ok(PackagesAnswer.self), .accepted(PackagesAnswer.self), isConditional: true)
        ) { call in try await updatePackages(call) }
        table.add(
            .post, Routes.action(.workspace, "{ref}", .rollBackPackages),
            .init(
                "rollBackPackages", "Give a workspace the list of an earlier generation.", body: .json(RollBackPackages.self),
                answers: .accepted(PackagesAnswer.self), isConditional: true)
        ) { call in
            let (id, version) = try await target(.workspace, call, .managePackages)
            let body = try await call.body(RollBackPackages.self)
            return try answer(try await call.store.rollBackPackages(of: id, to: body.generation, expecting: version))
        }
        table.add(
            .post, Routes.action(.workspace, "{ref}", .syncPackages),
            .init(
                "syncPackages", "Make a workspace's list agree with a kiln.yaml.", body: .json(SyncPackages.self),
                answers: .accepted(PackagesAnswer.self), isConditional: true)
        ) { call in try await syncPackages(call) }
        table.add(
            .get, Routes.action(.workspace, "{ref}", .packageHistory),
            .init("listPackageHistory", "The lists a workspace has had, the newest first.", answers: .ok(ResourceList<PackageGeneration>.self))
        ) { call in
            let id = try await resolve(.workspace, call, .read).id
            return try .json(ResourceList(items: try await store.packageHistory(of: id)))
        }
        table.add(
            .get, Routes.action(.workspace, "{ref}", .packageOrigins),
            .init(
                "explainPackage", "Which packages bring a path or a program along.",
                .init("item", "A path, or the name of a program.", isRequired: true),
                answers: .ok(ResourceList<OriginReport>.self))
        ) { call in
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
        let version = try call.expectedVersion(of: document, .workspace)
        let body = try await call.body(UpdatePackages.self)
        let workspace = try document.resource(Workspace.self)
        let resolved = try await resolve(workspace.spec.packages.wishesForUpdate(of: body.packages ?? []), isAtomic: false)
        guard body.dryRun ?? false else {
            // What was taken off the list meanwhile stays off.
            return try await changePackages(call, of: (document.id, version), .update, resolved) { list in
                list.adding(resolved.packages.filter { list.contains($0.name) })
            }
        }
        let changes = PackageChange.between(workspace.spec.packages, workspace.spec.packages.adding(resolved.packages))
        return try .json(PackagesAnswer(workspace: workspace, changes: changes, refused: resolved.refused, download: resolved.download))
    }

    /// What agrees with the file already stays as it is locked; the rest is resolved.
    private func syncPackages(_ call: Call) async throws -> Response {
        let document = try await resolve(.workspace, call, .managePackages)
        let version = try call.expectedVersion(of: document, .workspace)
        let body = try await call.body(SyncPackages.self)
        let wishes = try KilnFile.packages(in: body.file, path: body.path ?? KilnFile.name)
        let locked = try document.resource(Workspace.self).spec.packages
        let missing = wishes.filter { wish in !locked.contains { $0.satisfies(wish) } }
        let isAtomic = body.atomic ?? false
        let resolved = try await resolve(missing, isAtomic: isAtomic)
        let isExact = body.exact ?? false
        return try await changePackages(call, of: (document.id, version), .sync, resolved, isAtomic: isAtomic) { list in
            let named = list.adding(resolved.packages)
            return isExact ? named.filter { package in wishes.contains { $0.name == package.name } } : named
        }
    }

    private func changePackages(
        _ call: Call, of target: (id: ResourceID, expected: Int?), _ deed: PackageGeneration.Deed, _ resolved: ResolvedPackages = .none,
        isAtomic: Bool = false,
        _ change: @escaping @Sendable ([LockedPackage]) throws -> [LockedPackage]
    ) async throws -> Response {
        try answer(try await call.store.changePackages(of: target.id, expecting: target.expected, as: deed, isAtomic: isAtomic, change), resolved)
    }

    private func answer(_ changed: (workspace: Workspace, changes: [PackageChange]), _ resolved: ResolvedPackages = .none) throws -> Response {
        controller.changed(changed.workspace)
        return try .json(
            status: .accepted,
            PackagesAnswer(workspace: changed.workspace, changes: changed.changes, refused: resolved.refused, download: resolved.download))
    }
}
