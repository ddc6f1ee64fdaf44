import KilnModel
import KilnStore
import Testing

@Suite struct FeedTests {
    @Test func `every follower sees every change in order, and one may resume anywhere`() async throws {
        try await withStore { store in
            let counts = try await withThrowingTaskGroup(of: [Int64].self) { group in
                for start in [Int64(0), 0, 0] {
                    let feed = try await store.changes(after: start)
                    group.addTask { try await Self.sequences(feed, upTo: 30) }
                }
                for index in 0..<30 { _ = try await store.makeWorkmachine("m\(index)") }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts == [Array(1...30), Array(1...30), Array(1...30)])
            #expect(try await Self.sequences(store.changes(after: 12), upTo: 30) == Array(13...30))
        }
    }

    @Test func `a change carries the resource, a deletion does not`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            try await store.delete(machine)
            var iterator = try await store.changes(after: 0).makeAsyncIterator()
            #expect(try await iterator.next()?.resource(Workmachine.self) == machine)
            #expect(try await iterator.next()?.resource(Workmachine.self)?.metadata.version == 2)
            let last = try #require(try await iterator.next())
            #expect(last.document == nil)
            #expect(last.id == machine.metadata.id)
            #expect(last.owner == anna)
        }
    }

    @Test func `a follower that waits wakes with the change`() async throws {
        try await withStore { store in
            let feed = try await store.changes(after: 0)
            async let first = Self.sequences(feed, upTo: 1)
            try await Task.sleep(for: .milliseconds(50))
            _ = try await store.makeWorkmachine()
            #expect(try await first == [1])
        }
    }

    @Test func `a follower that waits ends when it is cancelled`() async throws {
        try await withStore { store in
            let feed = try await store.changes(after: 0)
            let task = Task { try await Self.sequences(feed, upTo: 1) }
            try await Task.sleep(for: .milliseconds(20))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test func `old changes are pruned, and whoever wants them is told`() async throws {
        try await withStore(feedLength: 10) { store in
            for index in 0..<40 { _ = try await store.makeWorkmachine("m\(index)") }
            #expect(try await code { _ = try await store.changes(after: 3) } == KilnError.eventsExpired.code)
            #expect(try await code { _ = try await store.changes(after: 41) } == KilnError.eventsExpired.code)
            #expect(try await Self.sequences(store.changes(after: 30), upTo: 40) == Array(31...40))
        }
    }

    @Test func `a follower that fell too far behind is told instead of missing changes`() async throws {
        try await withStore(feedLength: 10) { store in
            let feed = try await store.changes(after: 0)
            for index in 0..<40 { _ = try await store.makeWorkmachine("m\(index)") }
            #expect(try await code { _ = try await Self.sequences(feed, upTo: 40) } == KilnError.eventsExpired.code)
        }
    }

    @Test func `a snapshot says at which place in the feed it was so`() async throws {
        try await withStore { store in
            let machine = try await store.makeWorkmachine()
            let snapshot = try #require(try await store.snapshot(machine.metadata.id))
            #expect(snapshot.sequence == 1)
            #expect(snapshot.kind == .workmachine)
            #expect(try await store.snapshot(ResourceID.random()) == nil)
        }
    }

    private static func sequences(_ feed: ChangeFeed, upTo last: Int64) async throws -> [Int64] {
        var sequences: [Int64] = []
        for try await change in feed {
            sequences.append(change.sequence)
            if change.sequence == last { break }
        }
        return sequences
    }
}
