import KilnAPI
import KilnModel
import Synchronization
import Testing
import WorkspaceEngine

@testable import KilnServer

@Suite(.timeLimit(.minutes(1))) struct CollectionStreamTests {
    private struct Gone: Error {}

    private static let step = PackageProgress(activity: "deleting", fetched: 1, total: 2)

    @Test func `what is told ends with how it ended`() async throws {
        let lines = Mutex<[CollectionLine]>([])
        try await CollectionStream.run { progress in
            for _ in 1...100 { await progress(Self.step) }
            return GarbageCollection(freed: 3, paths: 2, isPartial: true)
        } say: { line in
            lines.withLock { $0.append(line) }
        }
        let told = lines.withLock { $0 }
        #expect(told.last == .done(freed: 3, paths: 2, partial: true))
        #expect(told.count >= 2 && told.dropLast().allSatisfy { $0 == .progress(Self.step) })
    }

    @Test func `an error of the engine is the last line`() async throws {
        let lines = Mutex<[CollectionLine]>([])
        let error = KilnError(.engineFailed, "The store is damaged.")
        try await CollectionStream.run { _ in
            throw error
        } say: { line in
            lines.withLock { $0.append(line) }
        }
        #expect(lines.withLock { $0 } == [.failed(Problem(error))])
    }

    @Test func `a collection stops when nobody can be told of it any more`() async throws {
        let wasStopped = Mutex(false)
        await #expect(throws: Gone.self) {
            try await CollectionStream.run { progress in
                await progress(Self.step)
                do {
                    try await Task.sleep(for: .seconds(50))
                } catch {
                    wasStopped.withLock { $0 = true }
                    throw error
                }
                return GarbageCollection(freed: 0, paths: 0, isPartial: false)
            } say: { _ in
                throw Gone()
            }
        }
        #expect(wasStopped.withLock { $0 })
    }
}
