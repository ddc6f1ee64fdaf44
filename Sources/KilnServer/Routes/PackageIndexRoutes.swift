internal import FoundationEssentials
internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore
internal import WorkspaceEngine

extension Backend {
    /// Looking packages up, and what they take on a workmachine.
    func addPackageIndex(to table: inout RouteTable) {
        table.add(
            .get, Routes.packages,
            .init(
                "searchPackages", "Look packages up.", .init("query", "Words that must all occur in a name or description.", isRequired: true),
                .init("limit", "How many at most: 1 to 1000, else 50.", Int.self), answers: .ok(ResourceList<PackageSummary>.self))
        ) { call in
            try authorise(call, .searchPackages, .installation)
            let query = try PackageQuery(text: call.query("query") ?? "", limit: call.number("limit", in: 1...1000) ?? 50)
            return try .json(ResourceList(items: try await controller.link.required().search(query)))
        }
        table.add(
            .get, Routes.package("{name}"), .init("getPackage", "All that the indexes know of a package.", answers: .ok(PackageDetails.self))
        ) { call in
            try authorise(call, .searchPackages, .installation)
            return try .json(try await controller.link.required().details(of: try call.packageName()))
        }
        table.add(
            .get, Routes.action(.workmachine, "{ref}", .packages),
            .init("reportPackageUsage", "What packages take on a workmachine.", answers: .ok(PackageUsageReport.self))
        ) { call in
            let workmachine = try await resolve(.workmachine, call, .read).resource(Workmachine.self)
            return try .json(try await packageUsage(of: workmachine))
        }
        table.add(
            .post, Routes.action(.workmachine, "{ref}", .collectPackages),
            .init(
                "collectPackages", "Delete what no workspace needs any more.", answers: .ok(.stream("application/x-ndjson", of: CollectionLine.self)))
        ) { call in
            let workmachine = try await resolve(.workmachine, call, .collectGarbage).resource(Workmachine.self)
            let (engine, target) = (try controller.link.required(), controller.target(of: workmachine))
            return .streaming(call, "application/x-ndjson") { pipe, _ in
                try await CollectionStream.run { progress in
                    try await engine.collectGarbage(on: target, progress: progress)
                } say: { line in
                    try await pipe.write("\(try RequestJSON.text(line))\n".utf8)
                }
            }
        }
    }

    private func packageUsage(of workmachine: Workmachine) async throws -> PackageUsageReport {
        let usage = try await controller.link.required().usage(of: controller.target(of: workmachine))
        var shares: [PackageUsageReport.Share] = []
        for share in usage.shares {
            guard let workspace = try await store.resource(Workspace.self, share.workspace),
                workspace.spec.workmachine == workmachine.metadata.id
            else { continue }
            shares.append(.init(workspace: workspace.metadata.name, size: share.size))
        }
        return PackageUsageReport(
            store: usage.store, collectable: usage.collectable, workspaces: shares.sorted { ($1.size, $0.workspace) < ($0.size, $1.workspace) })
    }
}

extension Call {
    /// The `{name}` of the path.
    fileprivate func packageName() throws -> PackageName {
        // The only character of such a name that clients may escape.
        try PackageName(try parameters.require("name").replacing("%2B", with: "+").replacing("%2b", with: "+"))
    }
}
