import KilnModel
import KilnStore
import Testing
import WorkspaceEngine

@testable import KilnControl

@Suite struct WorkspaceReconcileTests {
    @Test func `a workspace runs, is suspended, runs again and is gone`() async throws {
        try await Fixture.with { fixture in
            let workspace = try await fixture.makeWorkspace("hello", on: fixture.makeWorkmachine())
            let id = workspace.metadata.id
            try await fixture.running(workspace)
            #expect(await fixture.engine.workspaces[id]?.address == AddressPlan.workspace(1))
            _ = try await fixture.store.update(Workspace.self, id) { $0.desiredState = .suspended }
            try await fixture.wait(Workspace.self, id) { $0?.status.phase == .suspended && $0?.status.observedVersion == 2 }
            _ = try await fixture.store.update(Workspace.self, id) { $0.desiredState = .running }
            try await fixture.running(workspace)
            _ = try await fixture.store.requestDeletion(Workspace.self, id)
            try await fixture.gone(workspace)
            #expect(await fixture.engine.workspaces.isEmpty)
            #expect(await fixture.engine.overlaps == 0)
        }
    }

    @Test func `a workspace is connected, follows its environment, and is disconnected when that is deleted`() async throws {
        try await Fixture.with { fixture in
            let machine = try await fixture.makeWorkmachine()
            let workspace = try await fixture.makeWorkspace("hello", on: machine)
            let shop = try await fixture.makeEnvironment("shop", on: machine, service("db"))
            let (id, target) = (workspace.metadata.id, shop.metadata.id)
            _ = try await fixture.store.connect(id, to: target)
            try await fixture.wait(Workspace.self, id) { $0?.status.connection?.phase == .connected }
            #expect(await fixture.engine.workspaces[id]?.connection?.environment == target)

            _ = try await fixture.store.update(Environment.self, target) { $0.desiredState = .stopped }
            let stopped = try await fixture.wait(Workspace.self, id) { $0?.status.connection?.phase == .failed }
            #expect(stopped?.status.connection?.reason?.hint == "Start it: kl env start shop")
            // Its names stay to be seen.
            try await fixture.wait(Environment.self, target) { $0?.status.phase == .stopped }
            #expect(await fixture.engine.workspaces[id]?.connection == ConnectionTarget(environment: target, probe: nil))
            _ = try await fixture.store.update(Environment.self, target) { $0.desiredState = .running }
            try await fixture.wait(Workspace.self, id) { $0?.status.connection?.phase == .connected }

            _ = try await fixture.store.requestDeletion(Environment.self, target)
            try await fixture.gone(shop)
            let left = try await fixture.wait(Workspace.self, id) { $0?.status.connection == nil }
            #expect(left?.spec.connection == nil)
            #expect(left?.status.phase == .running)
            let calls = await fixture.engine.calls
            let removed = try #require(calls.lastIndex(of: .remove(target)))
            #expect(calls[..<removed].contains(.apply(id)))
            #expect(await fixture.engine.workspaces[id]?.connection == nil)
        }
    }

    @Test func `an image that does not exist ends in Failed and stays there, and resuming tries again`() async throws {
        try await Fixture.with { fixture in
            let machine = try await fixture.makeWorkmachine()
            try await fixture.wait(Workmachine.self, machine.metadata.id) { $0?.status.phase == .ready }
            let missing = KilnError(.imageNotFound, "There is no image x.", hint: "Pull it.")
            let planned = try await fixture.makeFailing("hello", on: machine, .init(repeating: missing, count: 10))
            let id = planned.metadata.id
            let failed = try await fixture.wait(Workspace.self, id) { $0?.status.phase == .failed }
            #expect(failed?.status.reason == Reason(code: "image-not-found", message: "There is no image x.", hint: "Pull it."))
            // A second look may come because the workmachine has just become ready; a failure that passes would be tried again and again.
            try await Task.sleep(for: .seconds(1))
            #expect(await fixture.engine.calls.filter { $0 == .apply(id) }.count <= 2)
            await fixture.engine.failApplies(with: [])
            _ = try await fixture.store.update(Workspace.self, id, again: true) { $0.desiredState = .running }
            try await fixture.running(planned)
        }
    }

    @Test func `of a clone that failed nothing stays`() async throws {
        try await Fixture.with { fixture in
            let machine = try await fixture.makeWorkmachine()
            try await fixture.wait(Workmachine.self, machine.metadata.id) { $0?.status.phase == .ready }
            let refused = KilnError(.cloneFailed, "no such repository")
            let workspace = try await fixture.makeFailing("hello", on: machine, .init(repeating: refused, count: 10))
            let failed = try await fixture.wait(Workspace.self, workspace.metadata.id) { $0?.status.phase == .failed }
            #expect(failed?.status.reason?.hint?.contains("kl ws delete hello") == true)
            #expect(await fixture.engine.calls.contains(.remove(workspace.metadata.id)))
            #expect(await fixture.engine.workspaces.isEmpty)
        }
    }

    @Test func `what fails for a while is tried again until it works`() async throws {
        try await Fixture.with { fixture in
            let machine = try await fixture.makeWorkmachine()
            try await fixture.wait(Workmachine.self, machine.metadata.id) { $0?.status.phase == .ready }
            let failure = KilnError(.engineFailed, "podman is busy")
            let workspace = try await fixture.makeFailing("hello", on: machine, [failure, failure])
            let said = try await fixture.wait(Workspace.self, workspace.metadata.id) { $0?.status.reason != nil }
            #expect(said?.status.phase == .starting)
            let running = try await fixture.wait(Workspace.self, workspace.metadata.id) { $0?.status.phase == .running }
            #expect(running?.status.reason == nil)
        }
    }

    @Test func `a workspace whose removal fails is not forgotten`() async throws {
        try await Fixture.with { fixture in
            let workspace = try await fixture.makeWorkspace("hello", on: fixture.makeWorkmachine())
            let id = workspace.metadata.id
            try await fixture.running(workspace)
            await fixture.engine.fail(.remove(id), with: KilnError(.engineFailed, "busy"))
            _ = try await fixture.store.requestDeletion(Workspace.self, id)
            let deleting = try await fixture.wait(Workspace.self, id) { $0?.status.reason != nil }
            #expect(deleting?.status.phase == .deleting)
            try await fixture.gone(workspace)
        }
    }

    @Test func `many workspaces at once never have two calls each`() async throws {
        try await Fixture.with { fixture in
            let machine = try await fixture.makeWorkmachine()
            var workspaces: [Workspace] = []
            for index in 0..<20 { workspaces.append(try await fixture.makeWorkspace("w\(index)", on: machine)) }
            for workspace in workspaces {
                for pids in 1...5 { _ = try await fixture.store.update(Workspace.self, workspace.metadata.id) { $0.limits.pids = 100 + pids } }
                await fixture.engine.observe(ResourceReference(kind: .workspace, id: workspace.metadata.id))
            }
            for workspace in workspaces {
                try await fixture.wait(Workspace.self, workspace.metadata.id) { $0?.status.phase == .running && $0?.status.observedVersion == 6 }
            }
            #expect(await fixture.engine.overlaps == 0)
            #expect(await fixture.engine.workspaces.values.allSatisfy { $0.limits.pids == 105 })
        }
    }
}

extension Fixture {
    /// A workspace whose first applies fail.
    func makeFailing(_ text: String, on machine: Workmachine, _ errors: [KilnError]) async throws -> Workspace {
        await engine.failApplies(with: errors)
        return try await makeWorkspace(text, on: machine)
    }
}
