import KilnModel
import KilnStore
import Testing

@Suite struct AllocationTests {
    @Test func `concurrent creations get distinct addresses, without gaps`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let indexes = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<40 { group.addTask { try await store.makeWorkspace("w\(index)", on: machine).spec.addressIndex } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(indexes.sorted() == Array(1...40))
        }
    }

    @Test func `two processes that create at once share no address`() async throws {
        try await withDirectory { directory in
            let stores = try (0..<2).map { _ in try KilnStore(path: "\(directory)/kiln.sqlite") }
            let machine = try await stores[0].makeWorkmachine()
            let indexes = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<30 { group.addTask { try await stores[index % 2].makeWorkspace("w\(index)", on: machine).spec.addressIndex } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(indexes).count == 30)
            for store in stores { try store.close() }
        }
    }

    @Test func `the lowest free address is given out again, the id never`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let first = try await store.makeWorkspace("a", on: machine)
            _ = try await store.makeWorkspace("b", on: machine)
            try await store.delete(first)
            let again = try await store.makeWorkspace("a", on: machine)
            #expect(again.spec.addressIndex == 1)
            #expect(again.metadata.id != first.metadata.id)
        }
    }

    @Test func `workmachines and environments share the user id ranges`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let shop = try await store.makeEnvironment("shop", on: machine)
            let other = try await store.makeWorkmachine("other")
            #expect([machine.spec.rangeIndex, shop.spec.rangeIndex, other.spec.rangeIndex] == [0, 1, 2])
            #expect(shop.spec.addressIndex == 1)
            try await store.delete(shop)
            #expect(try await store.makeEnvironment("next", on: machine).spec.rangeIndex == 1)
        }
    }

    @Test func `when all ranges are taken the next one is refused`() async throws {
        try await withStore { store in
            for index in 0..<Instance.rangeCount { _ = try await store.makeWorkmachine("m\(index)") }
            #expect(try await code { _ = try await store.makeWorkmachine("more") } == .noRoom)
        }
    }
}
