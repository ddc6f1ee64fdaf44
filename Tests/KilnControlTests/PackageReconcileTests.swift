import KilnModel
import KilnStore
import Testing
import WorkspaceEngine

@testable import KilnControl

@Suite(.timeLimit(.minutes(1))) struct PackageReconcileTests {
    private func locked(_ text: String) throws -> LockedPackage {
        let wish = try PackageWish(text)
        guard case .matching(let version) = wish.version else { throw KilnError(.invalidValue, "A test names the version.") }
        return LockedPackage(
            name: wish.name, version: version, source: name("memory"), revision: "1", attribute: wish.name.value, system: "x86_64-linux",
            storePath: try StorePath("/nix/store/\(String(repeating: "0", count: 32))-\(wish.name)-\(version)"))
    }

    private struct Hello {
        let fixture: Fixture
        let id: ResourceID

        func add(_ packages: LockedPackage..., atomic: Bool = false) async throws {
            let changed = try await fixture.store.changePackages(of: id, as: .add, isAtomic: atomic) { $0.adding(packages) }
            fixture.controller.changed(changed.workspace)
        }

        @discardableResult
        func settled(_ generation: Int) async throws -> Workspace {
            let found = try await fixture.wait(Workspace.self, id) {
                $0?.status.packages?.phase != .installing && ($0?.status.packages?.generation ?? 0) >= generation
            }
            return try #require(found)
        }

        func seen() async throws -> [String] {
            await fixture.engine.packages.applied[id]?.packages.map { "\($0.name)@\($0.version)" } ?? []
        }

        func broken(_ text: String, _ error: KilnError) async throws {
            let name = try PackageName(text)
            await fixture.engine.change { $0.broken[name] = error }
        }
    }

    private func withHello(_ body: (Hello) async throws -> Void) async throws {
        try await Fixture.with { fixture in
            let workspace = try await fixture.makeWorkspace("hello", on: fixture.makeWorkmachine())
            try await fixture.running(workspace)
            try await body(Hello(fixture: fixture, id: workspace.metadata.id))
        }
    }

    private let failure = KilnError(.packageFailed, "It does not run.", hint: "kl pkg info bad")

    @Test func `packages are there once the engine says so, in a suspended workspace too`() async throws {
        try await withHello { hello in
            try await hello.add(try locked("jq@1"))
            let workspace = try await hello.settled(1)
            #expect(workspace.status.phase == .running)
            #expect(workspace.status.packages?.installed.map(\.name.value) == ["jq"])
            #expect(workspace.status.packages?.fetched == 1)
            _ = try await hello.fixture.store.update(Workspace.self, hello.id) { $0.desiredState = .suspended }
            try await hello.fixture.wait(Workspace.self, hello.id) { $0?.status.phase == .suspended }
            try await hello.add(try locked("git@2"))
            #expect(try await hello.settled(2).status.phase == .suspended)
            #expect(try await hello.seen() == ["jq@1", "git@2"])
        }
    }

    @Test func `the engine is told what can be rolled back to and what was seen before`() async throws {
        try await withHello { hello in
            try await hello.add(try locked("jq@1"))
            try await hello.settled(1)
            try await hello.add(try locked("jq@2"))
            try await hello.settled(2)
            let target = try #require(await hello.fixture.engine.packages.applied[hello.id])
            #expect(target.generation == 2)
            #expect(target.kept.map(\.generation) == [1])
            #expect(target.kept.first?.storePaths == [try locked("jq@1").storePath])
            #expect(target.previous == [try locked("jq@1")])
        }
    }

    @Test func `a change of packages has nothing else looked at, and says so`() async throws {
        try await withHello { hello in
            func looks() async -> Int { await hello.fixture.engine.calls.filter { $0 == .apply(hello.id) }.count }
            // That the workmachine is ready may have asked for one more look at the workspace.
            for pids in [101, 102] {
                let changed = try await hello.fixture.store.update(Workspace.self, hello.id) { $0.limits.pids = pids }
                try await hello.fixture.wait(Workspace.self, hello.id) { $0?.status.observedVersion == changed.metadata.version }
            }
            let before = await looks()
            for version in ["jq@1", "jq@2"] {
                try await hello.add(try locked(version))
                let workspace = try await hello.settled(version == "jq@1" ? 1 : 2)
                #expect(workspace.status.observedVersion == workspace.metadata.version)
            }
            #expect(await looks() == before)
            // Not while it is on its way: then the whole workspace is looked at.
            await hello.fixture.engine.hold(.apply(hello.id))
            let update = try await hello.fixture.store.update(Workspace.self, hello.id) { $0.limits.pids = 200 }
            try await hello.add(try locked("jq@3"))
            await hello.fixture.engine.release(.apply(hello.id))
            let last = try await hello.fixture.wait(Workspace.self, hello.id) {
                $0?.status.packages?.generation == 3 && $0?.status.observedVersion == update.metadata.version + 1
            }
            #expect(last?.metadata.version == update.metadata.version + 1)
        }
    }

    @Test func `what cannot be had is taken back, and the rest is there`() async throws {
        try await withHello { hello in
            try await hello.add(try locked("jq@1"))
            try await hello.settled(1)
            try await hello.broken("bad", failure)
            try await hello.add(try locked("git@2"), try locked("bad@1"))
            let workspace = try await hello.settled(3)
            #expect(workspace.spec.packages.map(\.name.value) == ["jq", "git"])
            #expect(workspace.status.packages?.phase == .ready)
            #expect(workspace.status.packages?.failures.map(\.name.value) == ["bad"])
            #expect(workspace.status.packages?.failures.first?.reason == Reason(failure))
            #expect(try await hello.seen() == ["jq@1", "git@2"])
        }
    }

    @Test func `an update that cannot be had leaves what was there`() async throws {
        try await withHello { hello in
            try await hello.add(try locked("jq@1"))
            try await hello.settled(1)
            try await hello.broken("jq", failure)
            try await hello.add(try locked("jq@2"))
            // The engine of this test would not have the old one either; so the whole list is said to have failed.
            let workspace = try #require(try await hello.fixture.wait(Workspace.self, hello.id) { $0?.status.packages?.phase == .failed })
            #expect(workspace.spec.packages.map(\.version.value) == ["1"])
            #expect(workspace.status.packages?.reason == Reason(failure))
            await hello.fixture.engine.change { $0.broken = [:] }
            try await hello.fixture.wait(Workspace.self, hello.id) { $0?.status.packages?.phase == .ready }
            #expect(try await hello.seen() == ["jq@1"])
        }
    }

    @Test func `all or none: one that cannot be had takes the others along`() async throws {
        try await withHello { hello in
            try await hello.add(try locked("jq@1"))
            try await hello.settled(1)
            try await hello.broken("bad", failure)
            try await hello.add(try locked("git@2"), try locked("bad@1"), atomic: true)
            let workspace = try await hello.settled(3)
            #expect(workspace.spec.packages.map(\.name.value) == ["jq"])
            #expect(Set(workspace.status.packages?.failures.map(\.name.value) ?? []) == ["git", "bad"])
            #expect(try await hello.seen() == ["jq@1"])
        }
    }

    @Test func `an engine that fails for a while is asked again, one that is away is waited for`() async throws {
        try await withHello { hello in
            await hello.fixture.engine.change { $0.failures = [KilnError(.engineFailed, "busy"), KilnError(.engineUnavailable, "away")] }
            try await hello.add(try locked("jq@1"))
            let workspace = try await hello.settled(1)
            #expect(workspace.status.packages?.failures == [])
            #expect(workspace.spec.packageGeneration == 1)
        }
    }

    @Test func `fetching delays neither connecting nor suspending`() async throws {
        try await withHello { hello in
            let shop = try await hello.fixture.makeEnvironment(
                "shop", on: try #require(try await hello.fixture.store.list(Workmachine.self, limit: 1).items.first), service("db"))
            await hello.fixture.engine.hold(.applyPackages(hello.id))
            try await hello.add(try locked("jq@1"))
            let progress = try await hello.fixture.wait(Workspace.self, hello.id) { $0?.status.packages?.progress != nil }
            #expect(progress?.status.packages?.progress?.activity == "fetching")
            _ = try await hello.fixture.store.connect(hello.id, to: shop.metadata.id)
            try await hello.fixture.wait(Workspace.self, hello.id) { $0?.status.connection?.phase == .connected }
            #expect(try await hello.fixture.store.resource(Workspace.self, hello.id)?.status.packages?.phase == .installing)
            await hello.fixture.engine.release(.applyPackages(hello.id))
            #expect(try await hello.settled(1).status.packages?.progress == nil)
        }
    }

    @Test func `what is not wanted any more is not waited for`() async throws {
        try await withHello { hello in
            await hello.fixture.engine.hold(.applyPackages(hello.id))
            try await hello.add(try locked("big@1"))
            try await hello.fixture.wait(Workspace.self, hello.id) { $0?.status.packages?.progress != nil }
            let changed = try await hello.fixture.store.changePackages(of: hello.id, as: .remove) { _ in [] }
            // The call under way is held for ever: only its being cancelled lets the next one come.
            hello.fixture.controller.changed(changed.workspace)
            while await hello.fixture.engine.calls.filter({ $0 == .applyPackages(hello.id) }).count < 2 { await Task.yield() }
            await hello.fixture.engine.release(.applyPackages(hello.id))
            try await hello.settled(2)
            #expect(try await hello.seen() == [])
        }
    }

    @Test func `a workspace that is deleted while it installs goes at once`() async throws {
        try await withHello { hello in
            await hello.fixture.engine.hold(.applyPackages(hello.id))
            try await hello.add(try locked("big@1"))
            try await hello.fixture.wait(Workspace.self, hello.id) { $0?.status.packages?.progress != nil }
            _ = try await hello.fixture.store.requestDeletion(Workspace.self, hello.id)
            try await hello.fixture.wait(Workspace.self, hello.id) { $0 == nil }
            await hello.fixture.engine.release(.applyPackages(hello.id))
            #expect(await hello.fixture.engine.packages.applied[hello.id] == nil)
        }
    }

    @Test func `an engine that comes back is told again, and nobody else is`() async throws {
        try await withHello { hello in
            try await hello.add(try locked("jq@1"))
            try await hello.settled(1)
            let id = hello.id
            func told() async -> Int { await hello.fixture.engine.calls.filter { $0 == .applyPackages(id) }.count }
            let before = await told()
            // Another change of the workspace is none of its packages.
            _ = try await hello.fixture.store.update(Workspace.self, id) { $0.limits.pids = 200 }
            try await hello.fixture.wait(Workspace.self, id) { $0?.status.observedVersion == $0?.metadata.version }
            #expect(await told() == before)
            await hello.fixture.engine.change { $0.forget() }
            await hello.fixture.engine.disconnect()
            await hello.fixture.engine.reconnect()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await hello.fixture.controller.serve(hello.fixture.engine) }
                while try await hello.seen() != ["jq@1"] { await Task.yield() }
                group.cancelAll()
            }
        }
    }
}
