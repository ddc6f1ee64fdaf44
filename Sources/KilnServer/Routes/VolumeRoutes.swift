internal import Hummingbird
internal import KilnAPI
internal import KilnControl
internal import KilnModel
internal import KilnStore
internal import WorkspaceEngine

extension Backend {
    /// `/api/v1/volumes`: what deleted environments left.
    func addVolumes(to table: inout RouteTable) {
        table.add(
            .get, Routes.volumes,
            .init(
                "listVolumes", "A page of the environments that are gone and whose volumes are kept, by name.", .owner,
                .init("after", "The next of the page before.", Name.self), .init("limit", "How many at most: 1 to 500, else 100.", Int.self),
                answers: .ok(ResourceList<VolumesInfo>.self))
        ) { call in
            let owner = try call.owner()
            try authorise(call, .list, .resource(.environment, owner: owner, id: nil))
            let after = try call.query("after").map { try Name($0) }
            let rest = try await store.keptVolumes(of: owner).filter { kept in after.map { $0 < kept.name } ?? true }
            let page = rest.prefix(try call.number("limit", in: 1...500) ?? 100)
            return try .json(
                ResourceList(
                    items: page.map { VolumesInfo(owner: $0.owner, environment: $0.name) },
                    next: page.count < rest.count ? page.last?.name.value : nil))
        }
        table.add(
            .delete, "\(Routes.volumes)/{name}",
            .init("deleteVolumes", "Delete the volumes that a deleted environment left.", .owner, answers: .empty(204, "They are gone."))
        ) { call in
            let (owner, name) = (try call.owner(), try Name(try call.parameters.require("name")))
            try authorise(call, .delete, .resource(.environment, owner: owner, id: nil))
            call.note.wishes(for: name)
            let engine = try controller.link.required()
            let volumes = try await call.store.condemnVolumes(of: owner, name)
            try await engine.remove(EnvironmentTarget(leaving: volumes), volumes: true)
            try await store.forgetVolumes(volumes)
            return Response(status: .noContent)
        }
    }
}

extension EnvironmentTarget {
    /// An environment of which nothing is left but its volumes.
    fileprivate init(leaving volumes: KeptVolumes) {
        self.init(
            id: volumes.id, name: volumes.name, rangeIndex: volumes.rangeIndex, volumeSet: volumes.id, state: .stopped, services: [],
            uplink: AddressPlan.environment(1))
    }
}
