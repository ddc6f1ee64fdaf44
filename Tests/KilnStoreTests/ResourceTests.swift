import KilnModel
import KilnStore
import Testing

@Suite struct ResourceTests {
    @Test func `what was created is read back by id and by name`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let workspace = try await store.makeWorkspace("hello", on: machine)
            #expect(workspace.metadata.version == 1)
            #expect(workspace.status.phase == .pending)
            #expect(try await store.resource(Workspace.self, workspace.metadata.id) == workspace)
            #expect(try await store.resource(Workspace.self, owner: anna, name: name("hello")) == workspace)
            #expect(try await store.resource(Workspace.self, owner: ben, name: name("hello")) == nil)
            #expect(try await store.resource(Environment.self, workspace.metadata.id) == nil)
        }
    }

    @Test func `a name is taken once per owner and kind`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            _ = try await store.makeWorkspace("hello", on: machine)
            #expect(try await code { _ = try await store.makeWorkspace("hello", on: machine) } == .nameTaken)
            _ = try await store.makeWorkspace("hello", on: machine, owner: ben)
            _ = try await store.makeEnvironment("hello", on: machine)
        }
    }

    @Test func `a change raises the version, and one made from an older version is refused`() async throws {
        try await withStore { store in
            let id = try await store.makeWorkspace("hello", on: store.makeWorkmachine()).metadata.id
            let suspended = try await store.update(Workspace.self, id, expecting: 1) { $0.desiredState = .suspended }
            #expect(suspended.metadata.version == 2)
            #expect(try await code { _ = try await store.update(Workspace.self, id, expecting: 1) { $0.desiredState = .running } } == .staleVersion)
            #expect(try await store.resource(Workspace.self, id)?.spec.desiredState == .suspended)
        }
    }

    @Test func `a change that changes nothing raises the version only when it is to be tried again`() async throws {
        try await withStore { store in
            let id = try await store.makeWorkspace("hello", on: store.makeWorkmachine()).metadata.id
            #expect(try await store.update(Workspace.self, id) { $0.desiredState = .running }.metadata.version == 1)
            #expect(try await store.update(Workspace.self, id, again: true) { $0.desiredState = .running }.metadata.version == 2)
        }
    }

    @Test func `of many changes made from the same version exactly one wins`() async throws {
        try await withStore { store in
            let id = try await store.makeWorkspace("hello", on: store.makeWorkmachine()).metadata.id
            let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        try await code { _ = try await store.update(Workspace.self, id, expecting: 1) { $0.limits.pids = 200 + index } } == nil
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(wins == 1)
            #expect(try await store.resource(Workspace.self, id)?.metadata.version == 2)
        }
    }

    @Test func `a status leaves the version alone, and an equal one is no change`() async throws {
        try await withStore { store in
            let id = try await store.makeWorkspace("hello", on: store.makeWorkmachine()).metadata.id
            var status = Workspace.Status()
            status.phase = .running
            #expect(try await store.setStatus(Workspace.self, id, status)?.metadata.version == 1)
            let sequence = try await store.lastSequence()
            try await store.setStatus(Workspace.self, id, status)
            #expect(try await store.lastSequence() == sequence)
            #expect(try await store.setStatus(Workspace.self, ResourceID.random(), status) == nil)
        }
    }

    @Test func `deletion is asked for once, blocks changes, and ends when it is finished`() async throws {
        try await withStore { store in
            let id = try await store.makeWorkspace("hello", on: store.makeWorkmachine()).metadata.id
            #expect(try await code { try await store.finishDeletion(Workspace.self, id) } == .internalError)
            let asked = try await store.requestDeletion(Workspace.self, id)
            #expect(asked.metadata.version == 2)
            #expect(asked.metadata.deletionRequestedAt != nil)
            #expect(try await store.requestDeletion(Workspace.self, id) == asked)
            #expect(try await code { _ = try await store.update(Workspace.self, id) { $0.limits.pids = 7 } } == .wrongPhase)
            try await store.finishDeletion(Workspace.self, id)
            try await store.finishDeletion(Workspace.self, id)
            #expect(try await store.resource(Workspace.self, id) == nil)
        }
    }

    @Test func `a workmachine that hosts something is not deleted, and one that goes takes no guests`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let workspace = try await store.makeWorkspace("hello", on: machine)
            #expect(try await code { _ = try await store.requestDeletion(Workmachine.self, machine.metadata.id) } == .inUse)
            try await store.delete(workspace)
            _ = try await store.requestDeletion(Workmachine.self, machine.metadata.id)
            #expect(try await code { _ = try await store.makeWorkspace("late", on: machine) } == .notFound)
        }
    }

    @Test func `an environment goes only once nothing is connected to it`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let workspace = try await store.makeWorkspace("hello", on: machine)
            let environment = try await store.makeEnvironment("shop", on: machine)
            let (id, shop) = (workspace.metadata.id, environment.metadata.id)
            let alone = try #require(try await store.setting(of: id))
            #expect(
                alone.workspace.metadata.id == id && alone.workmachine?.metadata.id == alone.workspace.spec.workmachine && alone.environment == nil)
            #expect(try await store.connect(id, to: shop).spec.connection == shop)
            #expect(try await store.setting(of: id)?.environment?.metadata.id == shop)
            #expect(try await store.setting(of: shop) == nil)
            #expect(try await store.workspaces(connectedTo: shop) == [id])
            _ = try await store.requestDeletion(Environment.self, shop) { $0.deletesVolumes = true }
            #expect(try await store.resource(Environment.self, shop)?.spec.deletesVolumes == true)
            #expect(try await code { try await store.finishDeletion(Environment.self, shop) } == .inUse)
            #expect(try await code { _ = try await store.connect(id, to: shop, again: true) } == .wrongPhase)
            try await store.disconnectAll(from: shop)
            #expect(try await store.resource(Workspace.self, id)?.spec.connection == nil)
            try await store.finishDeletion(Environment.self, shop)
        }
    }

    @Test func `lists are filtered and paged in the order of owner and name`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let other = try await store.makeWorkmachine("other")
            for index in 0..<25 { _ = try await store.makeWorkspace("w\(index / 10)\(index % 10)", on: machine) }
            _ = try await store.makeWorkspace("x", on: other, owner: ben)
            var seen: [String] = []
            var after: QualifiedName?
            repeat {
                let page = try await store.list(Workspace.self, after: after, limit: 10)
                seen += page.items.map { "\($0.metadata.owner)/\($0.metadata.name)" }
                after = page.next
            } while after != nil
            #expect(seen == seen.sorted())
            #expect(seen.count == 26)
            func count(_ filter: ResourceFilter) async throws -> Int {
                let page = try await store.documents(.workspace, where: filter, limit: 100)
                return page.documents.count
            }
            #expect(try await count(.init(owner: ben)) == 1)
            #expect(try await count(.init(workmachine: machine.metadata.id)) == 25)
            #expect(try await count(.init(namePrefix: "w1")) == 10)
            #expect(try await count(.init(phase: "Pending")) == 26)
            #expect(try await count(.init(phase: "Running")) == 0)
            #expect(try await store.counts().first { $0.kind == .workspace && $0.phase == "Pending" }?.count == 26)
        }
    }
}
