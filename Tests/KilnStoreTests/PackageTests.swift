import GRDB
import KilnModel
import Testing

@testable import KilnStore

@Suite struct PackageTests {
    private func locked(_ text: String) throws -> LockedPackage {
        let wish = try PackageWish(text)
        guard case .matching(let version) = wish.version else { throw KilnError(.invalidValue, "A test names the version.") }
        return LockedPackage(
            name: wish.name, version: version, source: name("memory"), revision: "1", attribute: wish.name.value, system: "x86_64-linux",
            storePath: try StorePath("/nix/store/\(String(repeating: "0", count: 32))-\(wish.name)-\(version)"))
    }

    private func withWorkspace(_ body: (KilnStore, ResourceID) async throws -> Void) async throws {
        try await withStore { store in
            try await body(store, try await store.makeWorkspace("hello", on: try await store.makeWorkmachine()).metadata.id)
        }
    }

    @discardableResult
    private func add(_ texts: String..., to id: ResourceID, in store: KilnStore) async throws -> Workspace {
        let packages = try texts.map(locked)
        return try await store.changePackages(of: id, as: .add) { $0.adding(packages) }.workspace
    }

    private func list(_ workspace: Workspace) -> [String] { workspace.spec.packages.map { "\($0.name)@\($0.version)" } }

    /// As the reconciler would.
    private func verify(_ id: ResourceID, in store: KilnStore) async throws {
        try await store.setStatus(Workspace.self, id) { workspace in
            var status = workspace.status
            status.packages = PackagesStatus(phase: .ready, generation: workspace.spec.packageGeneration, since: 0)
            return status
        }
    }

    @Test func `a change is a version, a generation, a line of the history and an honest status`() async throws {
        try await withWorkspace { store, id in
            let added = try await add("jq@1.6", "git@2", to: id, in: store)
            #expect(added.metadata.version == 2 && added.spec.packageGeneration == 1)
            #expect(added.status.packages?.phase == .installing)
            #expect(added.status.packages?.generation == 0)
            try await verify(id, in: store)
            let updated = try await store.changePackages(of: id, as: .update) { try $0.adding([locked("jq@1.7")]) }
            #expect(updated.changes.map(\.description) == ["jq 1.6 → 1.7"])
            #expect(updated.workspace.status.packages?.generation == 1)
            let removed = try await store.changePackages(of: id, as: .remove) { try $0.removing([PackageName("git")]) }
            #expect(list(removed.workspace) == ["jq@1.7"])
            let history = try await store.packageHistory(of: id)
            #expect(
                history.map { "\($0.number) \($0.deed) \($0.changes.map(\.description))" } == [
                    "3 remove [\"-git 2\"]", "2 update [\"jq 1.6 → 1.7\"]", "1 add [\"+jq 1.6\", \"+git 2\"]",
                ])
        }
    }

    @Test func `the same list is no change, unless it failed`() async throws {
        try await withWorkspace { store, id in
            try await add("jq@1", to: id, in: store)
            try await verify(id, in: store)
            let same = try await add("jq@1", to: id, in: store)
            #expect(same.metadata.version == 2 && same.status.packages?.phase == .ready)
            try await store.setStatus(Workspace.self, id) { workspace in
                var status = workspace.status
                status.packages?.phase = .failed
                return status
            }
            let again = try await add("jq@1", to: id, in: store)
            #expect(again.metadata.version == 3 && again.spec.packageGeneration == 1)
            #expect(again.status.packages?.phase == .installing)
            #expect(try await store.packageHistory(of: id).count == 1)
        }
    }

    @Test func `changes made at the same time are all there in the end`() async throws {
        try await withWorkspace { store, id in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    let package = try locked("p\(number)@1")
                    group.addTask { _ = try await store.changePackages(of: id, as: .add) { $0.adding([package]) } }
                }
                try await group.waitForAll()
            }
            let workspace = try #require(try await store.resource(Workspace.self, id))
            #expect(workspace.spec.packages.count == 20)
            #expect(workspace.spec.packageGeneration == 20)
            #expect(try await store.packageHistory(of: id).map(\.number) == Array((1...20).reversed()))
        }
    }

    @Test func `rolling back goes ever further back, or where it is told`() async throws {
        try await withWorkspace { store, id in
            #expect(try await code { _ = try await store.rollBackPackages(of: id) } == .notFound)
            for text in ["a@1", "b@1", "c@1"] { try await add(text, to: id, in: store) }
            #expect(list(try await store.rollBackPackages(of: id).workspace) == ["a@1", "b@1"])
            #expect(list(try await store.rollBackPackages(of: id).workspace) == ["a@1"])
            #expect(list(try await store.rollBackPackages(of: id, to: 3).workspace) == ["a@1", "b@1", "c@1"])
            #expect(list(try await store.rollBackPackages(of: id, to: 0).workspace) == [])
            #expect(try await code { _ = try await store.rollBackPackages(of: id, to: 99) } == .notFound)
            #expect(try await store.packageHistory(of: id).prefix(4).map(\.restored) == [0, 3, 1, 2])
        }
    }

    @Test func `only the last generations can be rolled back to`() async throws {
        try await withWorkspace { store, id in
            for number in 1...PackageGeneration.keptCount + 2 { try await add("jq@\(number)", to: id, in: store) }
            #expect(try await code { _ = try await store.rollBackPackages(of: id, to: 2) } == .notFound)
            #expect(list(try await store.rollBackPackages(of: id, to: 3).workspace) == ["jq@3"])
        }
    }

    @Test func `what could not be had is taken back and told of until the next change`() async throws {
        try await withWorkspace { store, id in
            try await add("jq@1", to: id, in: store)
            try await verify(id, in: store)
            let wanted = try await add("bad@1", "git@1", to: id, in: store)
            let reason = Reason(code: "package-failed", message: "no")
            let failure = PackageFailure(name: try PackageName("bad"), version: try PackageVersion("1"), generation: 2, reason: reason)
            let left = wanted.spec.packages.filter { $0.name.value != "bad" }
            #expect(try await !store.withdrawPackages([failure], of: id, generation: 1, leaving: left))
            #expect(try await store.withdrawPackages([failure], of: id, generation: 2, leaving: left))
            #expect(try await !store.withdrawPackages([failure], of: id, generation: 3, leaving: left))
            let workspace = try #require(try await store.resource(Workspace.self, id))
            #expect(list(workspace) == ["jq@1", "git@1"])
            #expect(workspace.spec.packageGeneration == 3)
            #expect(workspace.status.packages?.failures == [failure])
            #expect(try await store.packageHistory(of: id).map(\.didFail) == [false, true, false])
            // Back past the one that failed.
            let back = try await store.rollBackPackages(of: id).workspace
            #expect(list(back) == ["jq@1"])
            #expect(back.status.packages?.failures == [])
        }
    }

    @Test func `a list has its bounds, and one of what is being deleted stays`() async throws {
        try await withWorkspace { store, id in
            let many = try (0...[LockedPackage].maximumPackages).map { try locked("p\($0)@1") }
            #expect(try await code { _ = try await store.changePackages(of: id, as: .add) { _ in many } } == .noRoom)
            try await add("jq@1", to: id, in: store)
            #expect(try await code { _ = try await store.changePackages(of: id, expecting: 1, as: .remove) { _ in [] } } == .staleVersion)
            _ = try await store.requestDeletion(Workspace.self, id)
            #expect(try await code { try await add("git@1", to: id, in: store) } == .wrongPhase)
            try await store.finishDeletion(Workspace.self, id)
            #expect(try await store.packageHistory(of: id).isEmpty)
        }
    }

    @Test func `a workspace may be made with packages`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let draft = WorkspaceDraft(
                workmachine: machine.metadata.id, image: try ImageReference("x"), limits: ResourceLimits(milliCPUs: 1000, memory: 1 << 30, pids: 100),
                packages: [try locked("jq@1")])
            let workspace = try await store.createWorkspace(name: name("hello"), owner: anna, draft)
            #expect(workspace.metadata.version == 1 && workspace.spec.packageGeneration == 1)
            #expect(try await store.packageHistory(of: workspace.metadata.id).map(\.deed) == [.create])
        }
    }

    @Test func `a workspace from before there were packages has none`() async throws {
        try await withDirectory { directory in
            let path = "\(directory)/kiln.sqlite"
            let store = try KilnStore(path: path)
            let workspace = try await store.makeWorkspace("hello", on: try await store.makeWorkmachine())
            try await store.database.write { db in
                try db.execute(
                    sql: """
                        UPDATE resource SET document = json_remove(document, '$.spec.packages', '$.spec.packageGeneration');
                        UPDATE feed SET document = json_remove(document, '$.spec.packages', '$.spec.packageGeneration');
                        DROP TABLE package_generation;
                        DELETE FROM grdb_migrations WHERE identifier = 'packages';
                        """)
            }
            try store.close()
            let later = try KilnStore(path: path)
            #expect(try await later.resource(Workspace.self, workspace.metadata.id) == workspace)
            for try await change in try await later.changes(after: 0) where change.id == workspace.metadata.id {
                #expect(try change.resource(Workspace.self) == workspace)
                break
            }
            try later.close()
        }
    }
}
