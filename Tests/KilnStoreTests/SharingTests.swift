import KilnModel
import KilnStore
import Testing

@Suite struct SharingTests {
    @Test func `what is shared is found by its guests until it is taken back, and their workspaces with it`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let shop = try await store.makeEnvironment("shop", on: machine)
            _ = try await store.makeEnvironment("other", on: machine)
            let mine = try await store.makeWorkspace("mine", on: machine, owner: ben)
            let annas = try await store.makeWorkspace("hello", on: machine)
            func visible(_ owner: Name) async throws -> [String] {
                try await store.documents(.environment, where: ResourceFilter(visibleTo: owner), limit: 10).documents.map(\.name.value)
            }
            #expect(try await visible(ben) == [])
            let shared = try await store.share(shop.metadata.id, with: [ben], expecting: 1)
            #expect(shared.spec.sharedWith == [ben] && shared.metadata.version == 2)
            #expect(try await store.share(shop.metadata.id, with: [ben]).metadata.version == 2)
            #expect(try await visible(ben) == ["shop"])
            #expect(try await visible(anna) == ["other", "shop"])
            #expect(try await store.document(.environment, shop.metadata.id)?.sharedWith == [ben])

            for workspace in [mine, annas] { _ = try await store.connect(workspace.metadata.id, to: shop.metadata.id) }
            #expect(try await code { _ = try await store.unshare(shop.metadata.id, from: [ben], expecting: 1) } == .staleVersion)
            #expect(try await code { _ = try await store.unshare(shop.metadata.id, from: [name("carl")]) } == .notFound)
            #expect(try await code { _ = try await store.share(shop.metadata.id, with: [anna]) } == .invalidValue)
            _ = try await store.unshare(shop.metadata.id, from: [ben])
            #expect(try await visible(ben) == [])
            #expect(try await store.resource(Workspace.self, mine.metadata.id)?.spec.connection == nil)
            #expect(try await store.resource(Workspace.self, annas.metadata.id)?.spec.connection == shop.metadata.id)
        }
    }

    @Test func `an environment that goes takes its sharing along`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let shop = try await store.makeEnvironment("shop", on: machine)
            _ = try await store.share(shop.metadata.id, with: [ben])
            try await store.delete(shop)
            let again = try await store.makeEnvironment("shop", on: machine)
            #expect(again.spec.sharedWith == [])
            #expect(try await store.documents(.environment, where: ResourceFilter(visibleTo: ben), limit: 10).documents.isEmpty)
        }
    }
}
