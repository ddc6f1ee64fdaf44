import GRDB
import KilnModel
import KilnStore
import Testing

@Suite struct AuditTests {
    private func record(_ action: String, _ status: Int, _ owner: Name = anna) -> AuditRecord {
        AuditRecord(actor: .init(owner: owner, token: "t"), action: action, status: status, code: status < 400 ? nil : "not-allowed")
    }

    @Test func `records come newest first, page by page, filtered`() async throws {
        try await withStore { store in
            for index in 0..<5 { try await store.audit(record("a\(index)", index == 2 ? 403 : 200, index == 4 ? ben : anna)) }
            let first = try await store.auditRecords(limit: 2)
            #expect(first.records.map(\.action) == ["a4", "a3"])
            let second = try await store.auditRecords(before: first.next, limit: 3)
            #expect(second.records.map(\.action) == ["a2", "a1", "a0"] && second.next == nil)
            #expect(first.records.allSatisfy { $0.time > 0 && $0.sequence > 0 })
            #expect(try await store.auditRecords(where: .init(owner: ben), limit: 9).records.map(\.action) == ["a4"])
            #expect(try await store.auditRecords(where: .init(refused: true), limit: 9).records.map(\.action) == ["a2"])
            #expect(try await store.auditRecords(where: .init(action: "a1"), limit: 9).records.map(\.action) == ["a1"])
        }
    }

    @Test func `the database itself keeps what was noted`() async throws {
        try await withDirectory { directory in
            let path = "\(directory)/kiln.sqlite"
            let store = try KilnStore(path: path)
            try await store.audit(record("deleteWorkspace", 202))
            try store.close()
            let queue = try DatabaseQueue(path: path)
            for sql in ["DELETE FROM audit", "UPDATE audit SET owner = 'ben'"] {
                #expect(throws: DatabaseError.self) { try queue.write { try $0.execute(sql: sql) } }
            }
            try queue.close()
            let again = try KilnStore(path: path)
            #expect(try await again.auditRecords(limit: 9).records.map(\.actor.owner) == [anna])
            try again.close()
        }
    }
}
