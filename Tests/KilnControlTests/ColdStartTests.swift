import KilnModel
import KilnStore
import Testing
import WorkspaceEngine

@testable import KilnControl

@Suite struct ColdStartTests {
    @Test func `a controller that starts halfway goes on from what is there`() async throws {
        try await Fixture.with(
            prepare: { fixture in
                let machine = try await fixture.makeWorkmachine()
                // Each was left at another point by a kilnd that was killed.
                for (text, phase) in [("a", Workspace.Phase.pending), ("b", .starting), ("c", .running), ("d", .suspending), ("e", .deleting)] {
                    let workspace = try await fixture.makeWorkspace(text, on: machine)
                    if text == "d" { _ = try await fixture.store.update(Workspace.self, workspace.metadata.id) { $0.desiredState = .suspended } }
                    if text == "e" { _ = try await fixture.store.requestDeletion(Workspace.self, workspace.metadata.id) }
                    var status = workspace.status
                    status.phase = phase
                    try await fixture.store.setStatus(Workspace.self, workspace.metadata.id, status)
                    if text != "a" { await fixture.engine.plant(WorkspaceTarget(workspace, on: machine, connection: nil)) }
                }
                // Of this one the store knows nothing: it was deleted and the engine's answer was lost.
                let ghost = try await fixture.makeWorkspace("ghost", on: machine)
                await fixture.engine.plant(WorkspaceTarget(ghost, on: machine, connection: nil))
                _ = try await fixture.store.requestDeletion(Workspace.self, ghost.metadata.id)
                try await fixture.store.finishDeletion(Workspace.self, ghost.metadata.id)
            },
            { fixture in
                for text in ["a", "b", "c", "d", "e"] {
                    guard let workspace = try await fixture.store.resource(Workspace.self, owner: fixture.owner, name: name(text)) else {
                        #expect(text == "e")
                        continue
                    }
                    try await fixture.wait(Workspace.self, workspace.metadata.id) { workspace in
                        text == "e" ? workspace == nil : workspace?.status.phase == (text == "d" ? .suspended : .running)
                    }
                }
                #expect(await fixture.engine.workspaces.values.map(\.name.value).sorted() == ["a", "b", "c", "d"])
                #expect(await fixture.engine.overlaps == 0)
            }
        )
    }

    @Test func `an engine is pruned before anything is applied, keeping what is still being deleted`() async throws {
        try await Fixture.with(
            prepare: { fixture in
                let workspace = try await fixture.makeWorkspace("hello", on: fixture.makeWorkmachine())
                _ = try await fixture.store.requestDeletion(Workspace.self, workspace.metadata.id)
            },
            { fixture in
                guard let workspace = try await fixture.store.resource(Workspace.self, owner: fixture.owner, name: name("hello")) else { return }
                try await fixture.gone(workspace)
                #expect(await fixture.engine.pruned.first?.workspaces == [workspace.metadata.id])
                let calls = await fixture.engine.calls
                #expect(calls.firstIndex(of: .info) == 0)
                #expect(calls.firstIndex(of: .prune) == 1)
            }
        )
    }

    @Test func `while an engine cannot be pruned nothing is applied, and the workmachine says why`() async throws {
        try await Fixture.with(connected: false) { fixture in
            let machine = try await fixture.makeWorkmachine()
            await fixture.engine.fail(.prune, with: KilnError(.engineFailed, "podman does not start"))
            await fixture.engine.fail(.prune, with: nil)
            let serving = Task { await fixture.controller.serve(fixture.engine) }
            let failed = try await fixture.wait(Workmachine.self, machine.metadata.id) { $0?.status.phase == .failed }
            #expect(failed?.status.reason?.message == "podman does not start")
            #expect(await fixture.engine.calls.contains(.apply(machine.metadata.id)) == false)
            try await fixture.wait(Workmachine.self, machine.metadata.id) { $0?.status.phase == .ready }
            serving.cancel()
            await serving.value
        }
    }

    @Test func `without an engine requests are kept, and done when one connects`() async throws {
        try await Fixture.with(connected: false) { fixture in
            let machine = try await fixture.makeWorkmachine()
            let workspace = try await fixture.makeWorkspace("hello", on: machine)
            try await Task.sleep(for: .milliseconds(100))
            let pending = try await fixture.store.resource(Workspace.self, workspace.metadata.id)
            #expect(pending?.status.phase == .pending)
            let serving = Task { await fixture.controller.serve(fixture.engine) }
            let running = try await fixture.wait(Workspace.self, workspace.metadata.id) { $0?.status.phase == .running }
            #expect(running?.status.reason == nil)
            let ready = try await fixture.store.resource(Workmachine.self, machine.metadata.id)
            #expect(ready?.status.phase == .ready)
            #expect(ready?.status.engine?.cpus == 4)
            serving.cancel()
            await serving.value
        }
    }

    @Test func `an engine that goes away in the middle leaves statuses alone, and what was under way is done when it is back`() async throws {
        try await Fixture.with(connected: false) { fixture in
            let serving = Task { await fixture.controller.serve(fixture.engine) }
            let machine = try await fixture.makeWorkmachine()
            let first = try await fixture.makeWorkspace("first", on: machine)
            try await fixture.running(first)
            let second = try await fixture.makeWorkspace("second", on: machine)
            let id = second.metadata.id
            await fixture.engine.hold(.apply(id))
            try await fixture.wait(Workspace.self, id) { $0?.status.phase == .starting || $0?.status.phase == .running }

            await fixture.engine.disconnect()
            await fixture.engine.release(.apply(id))
            await serving.value
            try await fixture.wait(Workmachine.self, machine.metadata.id) { $0?.status.phase == .unreachable }
            #expect(fixture.controller.link.engine == nil)
            #expect(try await fixture.store.resource(Workspace.self, first.metadata.id)?.status.phase == .running)
            #expect(throws: KilnError.self) { try fixture.controller.link.required() }

            await fixture.engine.reconnect()
            let again = Task { await fixture.controller.serve(fixture.engine) }
            try await fixture.wait(Workmachine.self, machine.metadata.id) { $0?.status.phase == .ready }
            try await fixture.running(second)
            #expect(await fixture.engine.overlaps == 0)
            again.cancel()
            await again.value
        }
    }

    @Test func `what waits for an engine that went away says so`() async throws {
        try await Fixture.with(connected: false) { fixture in
            let serving = Task { await fixture.controller.serve(fixture.engine) }
            let machine = try await fixture.makeWorkmachine()
            try await fixture.wait(Workmachine.self, machine.metadata.id) { $0?.status.phase == .ready }
            await fixture.engine.disconnect()
            await serving.value
            let workspace = try await fixture.makeWorkspace("hello", on: machine)
            let waiting = try await fixture.wait(Workspace.self, workspace.metadata.id) { $0?.status.reason != nil }
            #expect(waiting?.status.phase == .pending)
            #expect(waiting?.status.reason?.code == "engine-unavailable")
        }
    }

    @Test func `a workmachine is deleted with its home`() async throws {
        try await Fixture.with { fixture in
            let machine = try await fixture.makeWorkmachine()
            try await fixture.wait(Workmachine.self, machine.metadata.id) { $0?.status.phase == .ready }
            _ = try await fixture.store.requestDeletion(Workmachine.self, machine.metadata.id)
            try await fixture.gone(machine)
            #expect(await fixture.engine.workmachines.isEmpty)
        }
    }
}
