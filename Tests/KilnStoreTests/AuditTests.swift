import GRDB
import KilnModel
import KilnStore
import Synchronization
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

    /// Asks for changes as anna.
    private struct Anna: ChangeAuthor {
        let count = Counter()

        func record(creating created: AuditRecord.Subject?) -> AuditRecord? {
            AuditRecord(actor: .init(owner: anna), action: "create", subject: created, status: 201)
        }

        func noted() { count.value.add(1, ordering: .relaxed) }
    }

    private final class Counter: Sendable { let value = Atomic(0) }

    @Test func `a change carries its record along, with the id of what it made`() async throws {
        try await withStore { store in
            let author = Anna()
            let made = try await store.changed(for: author).makeWorkmachine()
            #expect(
                try await store.auditRecords(limit: 9).records.map(\.subject)
                    == [.init(kind: .workmachine, owner: anna, name: name("local"), id: made.metadata.id)])
            #expect(author.count.value.load(ordering: .relaxed) == 1)
            // What is refused, and what is observed, is nobody's change.
            #expect(try await code { _ = try await store.changed(for: author).makeWorkmachine() } == .nameTaken)
            var observed = made.status
            observed.phase = .ready
            _ = try await store.changed(for: author).setStatus(Workmachine.self, made.metadata.id, observed)
            #expect(try await store.auditRecords(limit: 9).records.count == 1)
            #expect(author.count.value.load(ordering: .relaxed) == 1)
        }
    }

    @Test func `a change that cannot be noted does not happen`() async throws {
        try await withDirectory { directory in
            let path = "\(directory)/kiln.sqlite"
            let store = try KilnStore(path: path)
            let machine = try await store.makeWorkmachine()
            let before = try await store.lastSequence()
            try Rigged.audit(of: path, "CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'broken'); END")
            let author = Anna()
            #expect(try await code { _ = try await store.changed(for: author).makeWorkspace("hello", on: machine) } == .internalError)
            #expect(
                try await code { _ = try await store.changed(for: author).requestDeletion(Workmachine.self, machine.metadata.id) } == .internalError)
            #expect(try await store.resource(Workspace.self, owner: anna, name: name("hello")) == nil)
            #expect(try await store.resource(Workmachine.self, machine.metadata.id) == machine)
            #expect(try await store.lastSequence() == before)
            #expect(author.count.value.load(ordering: .relaxed) == 0)
            try Rigged.audit(of: path, "DROP TRIGGER broken")
            _ = try await store.changed(for: author).makeWorkspace("hello", on: machine)
            #expect(try await store.auditRecords(limit: 9).records.count == 1)
            try store.close()
        }
    }

    @Test func `more than a hundred thousand shrink to that bit by bit`() async throws {
        try await withDirectory { directory in
            let path = "\(directory)/kiln.sqlite"
            let store = try KilnStore(path: path)
            try await store.audit(record("first", 200))
            try Rigged.audit(
                of: path,
                """
                INSERT INTO audit (time, owner, action, status, record)
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100099)
                SELECT audit.time, audit.owner, audit.action, audit.status, audit.record FROM n, audit
                """)
            #expect(try Rigged.count(path) == 100_100)
            try await store.audit(record("next", 200))
            #expect(try Rigged.count(path) == 100_037)
            try await store.audit(record("next", 200))
            try await store.audit(record("last", 200))
            #expect(try Rigged.count(path) == 100_000)
            #expect(try await store.auditRecords(limit: 1).records.map(\.action) == ["last"])
            try store.close()
        }
    }

    @Test func `after ninety days a record goes, and not a day before`() async throws {
        try await withDirectory { directory in
            let path = "\(directory)/kiln.sqlite"
            for (days, action) in [(91.0, "old"), (88, "young")] {
                let store = try KilnStore(path: path, now: { KilnStore.systemTime() - days * 86_400 })
                try await store.audit(record(action, 200))
                try store.close()
            }
            #expect(throws: DatabaseError.self) { try Rigged.audit(of: path, "DELETE FROM audit WHERE action = 'young'") }
            let store = try KilnStore(path: path)
            try await store.audit(record("new", 200))
            #expect(try await store.auditRecords(limit: 9).records.map(\.action) == ["new", "young"])
            try store.close()
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

/// The database behind a store, past it.
private enum Rigged {
    static func audit(of path: String, _ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    static func count(_ path: String) throws -> Int? {
        let queue = try DatabaseQueue(path: path)
        let count = try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM audit") }
        try queue.close()
        return count
    }
}
