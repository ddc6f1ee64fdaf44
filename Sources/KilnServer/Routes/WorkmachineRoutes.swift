internal import Hummingbird
internal import KilnAPI
internal import KilnModel
internal import KilnStore

extension Backend {
    func addWorkmachines(to table: inout RouteTable) {
        table.add(
            .post, Routes.collection(.workmachine),
            .init(
                "createWorkmachine", "Make a workmachine with a home of its own.", .owner, body: .json(CreateWorkmachine.self),
                answers: .created(Workmachine.self))
        ) { call in
            let owner = try call.owner()
            try authorise(call, .create, .resource(.workmachine, owner: owner, id: nil))
            let body = try await call.body(CreateWorkmachine.self)
            call.note.wishes(for: body.name)
            return try .created(try await call.store.createWorkmachine(name: body.name, owner: owner))
        }
        table.add(
            .delete, Routes.item(.workmachine, "{ref}"),
            .init(
                "deleteWorkmachine", "Delete a workmachine that hosts nothing any more, with its home.", answers: .accepted(Workmachine.self),
                isConditional: true)
        ) { call in
            let (id, version) = try await target(.workmachine, call, .delete)
            return try .json(status: .accepted, try await call.store.requestDeletion(Workmachine.self, id, expecting: version))
        }
    }

    /// The id of the workmachine that something new goes to.
    /// - Throws: `not-found` with the way to make one.
    func workmachine(named name: Name?, owner: Name) async throws -> ResourceID {
        let name = try name ?? Name(Defaults.workmachine)
        guard let document = try await store.document(.workmachine, owner: owner, name: name) else {
            throw KilnError(.notFound, "There is no workmachine \(name).", hint: "Make it first: kl machine create \(name)")
        }
        return document.id
    }
}

extension Response {
    /// `201 Created`, with the place of what was created.
    static func created<R: Resource>(_ resource: R) throws -> Response {
        var response = try Response.json(status: .created, resource)
        response.headers[.location] = Routes.item(R.kind, resource.metadata.id.value)
        return response
    }
}
