import KilnModel
import KilnStore
import Testing

@Suite struct InterceptTests {
    /// A store with an environment of two services and two workspaces connected to it.
    private struct Shop {
        let store: KilnStore
        let machine: Workmachine
        let shop: ResourceID
        let hello: ResourceID
        let other: ResourceID

        func wish(_ service: String = "api", _ port: UInt16? = 8080, to target: UInt16 = 3000, fallback: Bool = true) -> InterceptWish {
            InterceptWish(service: name(service), ports: [.init(number: port, target: target)], fallback: fallback)
        }

        func workspace(_ id: ResourceID) async throws -> Workspace { try #require(try await store.resource(Workspace.self, id)) }
    }

    private func withShop(_ body: (Shop) async throws -> Void) async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let shop = try await store.createEnvironment(
                name: name("shop"), owner: anna, workmachine: machine.metadata.id, services: try services()
            ).metadata.id
            let hello = try await store.makeWorkspace("hello", on: machine).metadata.id
            let other = try await store.makeWorkspace("other", on: machine, owner: ben).metadata.id
            for id in [hello, other] { _ = try await store.connect(id, to: shop) }
            try await body(Shop(store: store, machine: machine, shop: shop, hello: hello, other: other))
        }
    }

    private func services() throws -> [Service] {
        let image = ServiceImage.reference(try ImageReference("x"))
        return [
            Service(name: name("api"), addressIndex: 1, image: image, ports: [ServicePort(8080)]),
            Service(name: name("db"), addressIndex: 2, image: image, ports: [ServicePort(5432)]),
        ]
    }

    @Test func `an intercept is part of the spec, and starting until it was looked at`() async throws {
        try await withShop { shop in
            let before = try await shop.workspace(shop.hello)
            let workspace = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish("api", nil))
            #expect(workspace.metadata.version == before.metadata.version + 1)
            #expect(workspace.spec.intercepts.map(\.key) == [Intercept.Key(name("api"), ServicePort(8080))])
            #expect(workspace.spec.intercepts.first?.target == 3000)
            #expect(workspace.status.intercepts.map(\.phase) == [.starting])
            #expect(try await shop.workspace(shop.hello) == workspace)
            #expect(try await shop.store.workspaces(interceptingIn: shop.shop) == [workspace])
        }
    }

    @Test func `what cannot be intercepted is refused with what mends it`() async throws {
        try await withShop { shop in
            let service = await #expect(throws: KilnError.self) { try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish("web")) }
            #expect(service?.code == .notFound)
            #expect(service?.hint == "It has api, db.")
            // A port that is not declared is taken when it is named.
            _ = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish("api", 5005))
            _ = try await shop.store.update(Workspace.self, shop.hello) { $0.connection = nil }
            let lonely = await #expect(throws: KilnError.self) { try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish()) }
            #expect(lonely?.code == .notConnected)
            #expect(lonely?.hint?.contains("kl env connect") == true)
            _ = try await shop.store.requestDeletion(Environment.self, shop.shop)
            #expect(try await code { _ = try await shop.store.intercept(shop.other, in: shop.shop, shop.wish()) } == .notConnected)
            _ = try await shop.store.requestDeletion(Workspace.self, shop.other)
            #expect(try await code { _ = try await shop.store.intercept(shop.other, in: shop.shop, shop.wish()) } == .wrongPhase)
        }
    }

    @Test func `a port that another workspace intercepts is refused with who has it and since when`() async throws {
        try await withShop { shop in
            _ = try await shop.store.intercept(shop.other, in: shop.shop, shop.wish())
            let before = try await shop.workspace(shop.hello)
            let error = await #expect(throws: KilnError.self) { try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish()) }
            #expect(error?.code == .intercepted)
            #expect(error?.message.hasPrefix("api:8080 is intercepted by ben/other since 20") == true, "\(error?.message ?? "")")
            #expect(error?.message.hasSuffix("Z.") == true)
            #expect(error?.hint?.contains("--take-over") == true)
            #expect(try await shop.workspace(shop.hello) == before)
            // Another port of the same service, the same port in another environment, and the other transport are free.
            _ = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish("api", 8081))
            let udp = InterceptWish(service: name("api"), ports: [.init(number: 8080, transport: .udp)])
            _ = try await shop.store.intercept(shop.hello, in: shop.shop, udp)
            let twin = try await shop.store.createEnvironment(
                name: name("twin"), owner: anna, workmachine: shop.machine.metadata.id, services: try services()
            ).metadata.id
            _ = try await shop.store.connect(shop.hello, to: twin)
            _ = try await shop.store.intercept(shop.hello, in: twin, shop.wish())
        }
    }

    @Test func `taking over moves the port, and tells the loser who and when`() async throws {
        try await withShop { shop in
            _ = try await shop.store.intercept(shop.other, in: shop.shop, shop.wish())
            let before = try await shop.store.intercept(shop.other, in: shop.shop, shop.wish("db", 5432))
            _ = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish(), takeOver: true)
            let loser = try await shop.workspace(shop.other)
            #expect(loser.metadata.version == before.metadata.version + 1)
            #expect(loser.spec.intercepts.map(\.service) == [name("db")])
            let lost = try #require(loser.status.intercepts.first { $0.phase == .lost })
            #expect(lost.key == Intercept.Key(name("api"), ServicePort(8080)))
            #expect(lost.reason?.message.hasPrefix("anna/hello took api:8080 over at 20") == true)
            #expect(lost.reason?.hint == "Take it back: kl intercept start api --port 8080:3000 --take-over")

            // The next start that names it, and the next stop, forget that it was lost.
            #expect(try await code { _ = try await shop.store.intercept(shop.other, in: shop.shop, shop.wish()) } == .intercepted)
            _ = try await shop.store.intercept(shop.other, in: shop.shop, shop.wish(), takeOver: true)
            #expect(try await shop.workspace(shop.other).status.intercepts.allSatisfy { $0.phase == .starting })
            let back = try await shop.store.releaseIntercepts(shop.hello, service: name("api"))
            #expect(back.status.intercepts.isEmpty)
        }
    }

    @Test func `of many who want one port at the same time exactly one gets it`() async throws {
        try await withShop { shop in
            var ids: [ResourceID] = []
            for index in 0..<12 {
                ids.append(try await shop.store.makeWorkspace("w\(index)", on: shop.machine).metadata.id)
                _ = try await shop.store.connect(ids[index], to: shop.shop)
            }
            let store = shop.store
            let (target, wish) = (shop.shop, shop.wish())
            let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
                for id in ids { group.addTask { try await code { _ = try await store.intercept(id, in: target, wish) } == nil } }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(wins == 1)
            // With taking over, all get it in turn, and one has it in the end.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in ids { group.addTask { _ = try await store.intercept(id, in: target, wish, takeOver: true) } }
                try await group.waitForAll()
            }
            #expect(try await store.workspaces(interceptingIn: target).count == 1)
        }
    }

    @Test func `asking again changes the settings and keeps the time; asking for the same is no change`() async throws {
        try await withShop { shop in
            let first = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish())
            let same = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish())
            #expect(same == first)
            let changed = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish("api", 8080, to: 4000, fallback: false))
            #expect(changed.metadata.version == first.metadata.version + 1)
            #expect(changed.spec.intercepts.map(\.target) == [4000])
            #expect(changed.spec.intercepts.first?.fallback == false)
            #expect(changed.spec.intercepts.first?.since == first.spec.intercepts.first?.since)
            #expect(changed.status.intercepts.map(\.target) == [4000])

            var status = changed.status
            status.intercepts[0].phase = .failing
            try await shop.store.setStatus(Workspace.self, shop.hello, status)
            let again = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish("api", 8080, to: 4000, fallback: false))
            #expect(again.metadata.version == changed.metadata.version + 1)
        }
    }

    @Test func `intercepts end with the connection, one by one and all together`() async throws {
        try await withShop { shop in
            _ = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish())
            _ = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish("db", 5432))
            let one = try await shop.store.releaseIntercepts(shop.hello, service: name("api"))
            #expect(one.spec.intercepts.map(\.service) == [name("db")])
            // It was not seen yet that it is out.
            #expect(one.status.intercepts.map(\.service) == [name("api"), name("db")])
            #expect(try await shop.store.releaseIntercepts(shop.hello, service: name("api")) == one)
            #expect(try await code { _ = try await shop.store.releaseIntercepts(shop.hello, service: name("web")) } == .notFound)
            let none = try await shop.store.releaseIntercepts(shop.hello)
            #expect(none.spec.intercepts.isEmpty)
            #expect(none.metadata.version == one.metadata.version + 1)
            #expect(try await shop.store.releaseIntercepts(shop.hello) == none)

            _ = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish())
            #expect(try await shop.store.update(Workspace.self, shop.hello) { $0.connection = nil }.spec.intercepts.isEmpty)
            _ = try await shop.store.intercept(shop.other, in: shop.shop, shop.wish())
            try await shop.store.disconnectAll(from: shop.shop)
            #expect(try await shop.workspace(shop.other).spec.intercepts.isEmpty)
        }
    }

    @Test func `a workspace that is being deleted holds nothing`() async throws {
        try await withShop { shop in
            _ = try await shop.store.intercept(shop.other, in: shop.shop, shop.wish())
            _ = try await shop.store.requestDeletion(Workspace.self, shop.other)
            _ = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish())
        }
    }

    @Test func `a status goes on from what others have written meanwhile`() async throws {
        try await withShop { shop in
            _ = try await shop.store.intercept(shop.hello, in: shop.shop, shop.wish())
            let written = try await shop.store.setStatus(Workspace.self, shop.hello) { current in
                var status = current.status
                status.phase = .running
                return status
            }
            #expect(written?.status.phase == .running)
            #expect(written?.status.intercepts.count == 1)
            #expect(try await shop.store.setStatus(Workspace.self, ResourceID.random()) { $0.status } == nil)
        }
    }

    @Test func `workspaces are found by their addresses`() async throws {
        try await withShop { shop in
            let index = try await shop.workspace(shop.other).spec.addressIndex
            #expect(try await shop.store.workspaceNames(atAddresses: [index, 999]) == [index: QualifiedName(owner: ben, name: name("other"))])
            #expect(try await shop.store.workspaceNames(atAddresses: []) == [:])
        }
    }
}
