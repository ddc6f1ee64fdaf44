import FoundationEssentials
import KilnModel
import KilnStore
import Synchronization
import Testing

@Suite struct TokenTests {
    @Test func `a token says who asks until it is revoked`() async throws {
        try await withStore { store in
            let (record, text) = try await store.createToken(owner: anna, admin: true, label: "laptop")
            #expect(text.hasPrefix("kiln_"))
            #expect(text.utf8.count == 5 + 43)
            let found = try #require(try await store.token(text))
            #expect(found.owner == anna && found.admin && found.label == "laptop")
            #expect(try await store.token(text + "x") == nil)
            #expect(try await store.token("kiln_") == nil)
            #expect(try await store.token("") == nil)
            try await store.revokeToken(record.id)
            #expect(try await store.token(text) == nil)
            #expect(try await store.tokens().isEmpty)
            #expect(try await code { try await store.revokeToken(record.id) } == .notFound)
        }
    }

    @Test func `no token lies in the file`() async throws {
        try await withDirectory { directory in
            let store = try KilnStore(path: "\(directory)/kiln.sqlite")
            let text = try await store.createToken(owner: anna, admin: false, label: "here").text
            for suffix in ["", "-wal"] {
                let data = try Data(contentsOf: URL(filePath: "\(directory)/kiln.sqlite\(suffix)"))
                #expect(data.range(of: Data(text.utf8)) == nil)
                #expect(data.range(of: Data(text.dropFirst(5).utf8)) == nil)
            }
            try store.close()
        }
    }

    @Test func `a token made by another process counts at once`() async throws {
        try await withDirectory { directory in
            let serving = try KilnStore(path: "\(directory)/kiln.sqlite")
            let command = try KilnStore(path: "\(directory)/kiln.sqlite")
            let (record, text) = try await command.createToken(owner: ben, admin: false, label: "")
            #expect(try await serving.token(text)?.owner == ben)
            try await command.revokeToken(record.id)
            try command.close()
            #expect(try await serving.token(text) == nil)
            try serving.close()
        }
    }

    @Test func `the last use is noted to the minute`() async throws {
        try await withDirectory { directory in
            let time = Mutex<Timestamp>(1000)
            let store = try KilnStore(path: "\(directory)/kiln.sqlite", now: { time.withLock { $0 } })
            let text = try await store.createToken(owner: anna, admin: false, label: "").text
            _ = try await store.token(text)
            time.withLock { $0 = $0 + 30 }
            _ = try await store.token(text)
            #expect(try await store.tokens().first?.lastUsedAt == 1000)
            time.withLock { $0 = $0 + 60 }
            _ = try await store.token(text)
            #expect(try await store.tokens().first?.lastUsedAt == 1090)
            try store.close()
        }
    }

    @Test(arguments: ["a\nb", String(repeating: "x", count: 101), "ümlaut"])
    func `a label that could garble a terminal is refused`(label: String) async throws {
        try await withStore { store in
            let refusal = try await code { _ = try await store.createToken(owner: anna, admin: false, label: label) }
            #expect(refusal == .invalidValue)
        }
    }
}
