import KilnModel
import KilnStore
import Testing
import WorkspaceEngine

@testable import KilnControl

@Suite(.timeLimit(.minutes(1))) struct InterceptReconcileTests {
    private static let key = Intercept.Key(name("api"), ServicePort(8080))

    /// An environment with an api and a db, and a workspace connected to it.
    private struct Shop {
        let fixture: Fixture
        let machine: Workmachine
        let shop: Environment
        let hello: ResourceID

        static func make(_ fixture: Fixture) async throws -> Shop {
            let machine = try await fixture.makeWorkmachine()
            var api = try service("api", index: 1)
            api.ports = [ServicePort(8080)]
            let shop = try await fixture.makeEnvironment("shop", on: machine, api, service("db", index: 2))
            let made = Shop(fixture: fixture, machine: machine, shop: shop, hello: try await fixture.makeWorkspace("hello", on: machine).metadata.id)
            _ = try await fixture.store.connect(made.hello, to: shop.metadata.id)
            return made
        }

        func another(_ text: String) async throws -> ResourceID {
            let id = try await fixture.makeWorkspace(text, on: machine).metadata.id
            _ = try await fixture.store.connect(id, to: shop.metadata.id)
            return id
        }

        @discardableResult
        func intercept(_ id: ResourceID, _ service: String = "api", _ port: UInt16 = 8080, takeOver: Bool = false) async throws -> Workspace {
            let wish = InterceptWish(service: name(service), ports: [.init(number: port, target: 3000)])
            return try await fixture.store.intercept(id, in: shop.metadata.id, wish, takeOver: takeOver)
        }

        @discardableResult
        func wait(_ id: ResourceID, _ phase: InterceptStatus.Phase, _ key: Intercept.Key = InterceptReconcileTests.key) async throws -> Workspace {
            let found = try await fixture.wait(Workspace.self, id) { workspace in
                workspace?.status.intercepts.first { $0.key == key }?.phase == phase
                    && workspace?.status.observedVersion == workspace?.metadata.version
            }
            return try #require(found)
        }

        /// What the engine was last told of a workspace.
        func told(_ id: ResourceID) async -> [InterceptTarget] { await fixture.engine.workspaces[id]?.connection?.intercepts ?? [] }
    }

    @Test func `an intercept is active, waits while nothing listens, and is given back`() async throws {
        try await Fixture.with { fixture in
            let shop = try await Shop.make(fixture)
            try await shop.intercept(shop.hello)
            try await shop.wait(shop.hello, .active)
            #expect(await shop.told(shop.hello) == [InterceptTarget(serviceIndex: 1, port: ServicePort(8080), target: 3000)])

            await fixture.engine.setIdle([3000], of: shop.hello)
            let waiting = try await shop.wait(shop.hello, .waiting)
            #expect(waiting.status.intercepts.first?.reason?.message == "waiting for a listener on 3000")
            await fixture.engine.setIdle([], of: shop.hello)
            let active = try await shop.wait(shop.hello, .active)
            #expect(active.status.intercepts.first?.reason == nil)

            _ = try await fixture.store.releaseIntercepts(shop.hello)
            try await fixture.wait(Workspace.self, shop.hello) { $0?.status.intercepts == [] }
            #expect(await shop.told(shop.hello).isEmpty)
            #expect(await fixture.engine.workspaces[shop.hello]?.connection != nil)
        }
    }

    @Test func `a controller that starts anew knows intercepts from the store alone`() async throws {
        try await Fixture.with(
            prepare: { fixture in
                let shop = try await Shop.make(fixture)
                try await shop.intercept(shop.hello)
                // kilnd was killed right after a take-over.
                try await shop.intercept(try await shop.another("other"), takeOver: true)
            },
            { fixture in
                let ids = try await [name("hello"), name("other")].asyncMap {
                    try #require(try await fixture.store.resource(Workspace.self, owner: fixture.owner, name: $0)).metadata.id
                }
                try await fixture.wait(Workspace.self, ids[1]) { $0?.status.intercepts.first?.phase == .active }
                let loser = try await fixture.wait(Workspace.self, ids[0]) { $0?.status.connection?.phase == .connected }
                #expect(loser?.status.intercepts.map(\.phase) == [.lost])
                #expect(await fixture.engine.workspaces[ids[0]]?.connection?.intercepts == [])
                #expect(await fixture.engine.workspaces[ids[1]]?.connection?.intercepts.count == 1)
            }
        )
    }

    @Test func `who took over is looked at once more when the loser has let go, and the loser is told`() async throws {
        try await Fixture.with { fixture in
            let shop = try await Shop.make(fixture)
            let other = try await shop.another("other")
            try await shop.intercept(other)
            try await shop.wait(other, .active)
            // A look at the loser is under way, made before it lost, while the port changes hands.
            await fixture.engine.hold(.apply(other))
            let before = await fixture.engine.calls.count
            await fixture.engine.observe(ResourceReference(kind: .workspace, id: other))
            while await !fixture.engine.calls.dropFirst(before).contains(.apply(other)) { try await Task.sleep(for: .milliseconds(5)) }
            try await shop.intercept(shop.hello, takeOver: true)
            try await shop.wait(shop.hello, .active)
            await fixture.engine.release(.apply(other))

            let loser = try await shop.wait(other, .lost)
            #expect(loser.spec.intercepts.isEmpty)
            #expect(loser.status.intercepts.first?.reason?.message.hasPrefix("anna/hello took api:8080 over") == true)
            let (hello, engine) = (shop.hello, fixture.engine)
            try await eventually {
                let calls = await engine.calls
                guard let taken = calls.lastIndex(of: .apply(hello)), let released = calls.lastIndex(of: .apply(other)) else { return false }
                return taken > released
            }
            #expect(await shop.told(other).isEmpty)
            #expect(await shop.told(shop.hello).count == 1)
        }
    }

    @Test func `two that took from each other come to rest`() async throws {
        try await Fixture.with { fixture in
            let shop = try await Shop.make(fixture)
            let other = try await shop.another("other")
            let db = Intercept.Key(name("db"), ServicePort(5432))
            try await shop.intercept(shop.hello)
            try await shop.intercept(other, "db", 5432)
            try await shop.wait(shop.hello, .active)
            try await shop.wait(other, .active, db)
            try await shop.intercept(shop.hello, "db", 5432, takeOver: true)
            try await shop.intercept(other, takeOver: true)
            try await shop.wait(shop.hello, .active, db)
            try await shop.wait(other, .active)
            try await Task.sleep(for: .milliseconds(300))
            let calls = await fixture.engine.calls.count
            try await Task.sleep(for: .milliseconds(300))
            #expect(await fixture.engine.calls.count == calls)
            let hello = try #require(try await fixture.store.resource(Workspace.self, shop.hello))
            #expect(hello.status.intercepts.map(\.phase) == [.lost, .active])
        }
    }

    @Test func `disconnecting and deleting the environment end intercepts, and what was lost is forgotten`() async throws {
        try await Fixture.with { fixture in
            let shop = try await Shop.make(fixture)
            let other = try await shop.another("other")
            try await shop.intercept(other)
            try await shop.intercept(shop.hello, takeOver: true)
            try await shop.wait(shop.hello, .active)
            _ = try await fixture.store.update(Workspace.self, other) { $0.connection = nil }
            try await fixture.wait(Workspace.self, other) { $0?.status.connection == nil && $0?.status.intercepts == [] }

            _ = try await fixture.store.requestDeletion(Environment.self, shop.shop.metadata.id)
            try await fixture.gone(shop.shop)
            let left = try await fixture.wait(Workspace.self, shop.hello) { $0?.status.connection == nil && $0?.status.intercepts == [] }
            #expect(left?.spec.intercepts == [])
            #expect(await shop.told(shop.hello).isEmpty)
        }
    }

    @Test func `while the workspace or its environment stands still an intercept waits, and comes back by itself`() async throws {
        try await Fixture.with { fixture in
            let shop = try await Shop.make(fixture)
            try await shop.intercept(shop.hello)
            try await shop.wait(shop.hello, .active)
            _ = try await fixture.store.update(Workspace.self, shop.hello) { $0.desiredState = .suspended }
            let suspended = try await shop.wait(shop.hello, .waiting)
            #expect(suspended.status.intercepts.first?.reason?.message == "the workspace is suspended")
            _ = try await fixture.store.update(Workspace.self, shop.hello) { $0.desiredState = .running }
            try await shop.wait(shop.hello, .active)

            let id = shop.shop.metadata.id
            _ = try await fixture.store.update(Environment.self, id) { $0.desiredState = .stopped }
            let stopped = try await shop.wait(shop.hello, .waiting)
            #expect(stopped.status.intercepts.first?.reason?.hint == "Start it: kl env start shop")
            _ = try await fixture.store.update(Environment.self, id) { $0.desiredState = .running }
            try await shop.wait(shop.hello, .active)
        }
    }

    @Test func `a service that goes takes its intercept out, and the status says so`() async throws {
        try await Fixture.with { fixture in
            let shop = try await Shop.make(fixture)
            try await shop.intercept(shop.hello)
            try await shop.intercept(shop.hello, "db", 5432)
            try await shop.wait(shop.hello, .active)
            _ = try await fixture.store.update(Environment.self, shop.shop.metadata.id) { $0.services.removeFirst() }
            let failing = try await shop.wait(shop.hello, .failing)
            let entry = failing.status.intercepts.first { $0.phase == .failing }
            #expect(entry?.reason?.message == "the environment shop has no service api any more")
            #expect(await shop.told(shop.hello).map(\.serviceIndex) == [2])
        }
    }

    @Test func `what should work and does not is failing, with the reason, until it works`() async throws {
        try await Fixture.with { fixture in
            let shop = try await Shop.make(fixture)
            try await shop.intercept(shop.hello)
            try await shop.wait(shop.hello, .active)
            await fixture.engine.failIntercepts(with: KilnError(.probeFailed, "no answer"), of: shop.hello)
            let failing = try await shop.wait(shop.hello, .failing)
            #expect(failing.status.intercepts.first?.reason?.message == "no answer")
            await fixture.engine.failIntercepts(with: nil, of: shop.hello)
            try await shop.wait(shop.hello, .active)
        }
    }

    @Test func `a workspace that is deleted leaves its port to whoever has it next`() async throws {
        try await Fixture.with { fixture in
            let shop = try await Shop.make(fixture)
            let other = try await shop.another("other")
            try await shop.intercept(other)
            try await shop.wait(other, .active)
            await fixture.engine.hold(.remove(other))
            _ = try await fixture.store.requestDeletion(Workspace.self, other)
            try await shop.intercept(shop.hello)
            try await shop.wait(shop.hello, .active)
            await fixture.engine.release(.remove(other))
            let (hello, engine) = (shop.hello, fixture.engine)
            try await eventually {
                let calls = await engine.calls
                guard let removed = calls.lastIndex(of: .remove(other)), let taken = calls.lastIndex(of: .apply(hello)) else { return false }
                return taken > removed
            }
        }
    }
}

/// Asks until it is so, at most five seconds: nothing announces calls of the engine.
private func eventually(_ isSo: () async -> Bool) async throws {
    for _ in 0..<500 {
        if await isSo() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("it never was so")
}

extension Array {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
