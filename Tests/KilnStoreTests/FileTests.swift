import Dispatch
import FoundationEssentials
import GRDB
import Glibc
import KilnModel
import KilnStore
import Synchronization
import Testing

@Suite struct FileTests {
    @Test func `the file and its journal are nobody else's business`() async throws {
        try await withDirectory { directory in
            let store = try KilnStore(path: "\(directory)/kiln.sqlite")
            _ = try await store.makeWorkmachine()
            for suffix in ["", "-wal", "-shm"] {
                var attributes = stat()
                #expect(stat("\(directory)/kiln.sqlite\(suffix)", &attributes) == 0)
                #expect(attributes.st_mode & 0o777 == 0o600)
            }
            try store.close()
        }
    }

    @Test func `a link in the place of the file is not followed`() async throws {
        try await withDirectory { directory in
            #expect(symlink("/tmp/elsewhere", "\(directory)/kiln.sqlite") == 0)
            #expect(throws: KilnError.self) { try KilnStore(path: "\(directory)/kiln.sqlite") }
        }
    }

    @Test func `what a file that is no database holds stays untouched`() async throws {
        try await withDirectory { directory in
            let path = "\(directory)/kiln.sqlite"
            let text = Data(String(repeating: "not a database. ", count: 100).utf8)
            try text.write(to: URL(filePath: path))
            #expect(throws: KilnError.self) { try KilnStore(path: path) }
            #expect(try Data(contentsOf: URL(filePath: path)) == text)
        }
    }

    @Test func `many that open a new store at once all find it made`() async throws {
        for _ in 0..<10 {
            try await withDirectory { directory in
                let failures = Mutex<[String]>([])
                DispatchQueue.concurrentPerform(iterations: 16) { _ in
                    do { try KilnStore(path: "\(directory)/kiln.sqlite").close() } catch { failures.withLock { $0.append("\(error)") } }
                }
                #expect(failures.withLock { $0 } == [])
            }
        }
    }

    @Test func `opening again finds everything`() async throws {
        try await withDirectory { directory in
            let path = "\(directory)/kiln.sqlite"
            let first = try KilnStore(path: path)
            let machine = try await first.makeWorkmachine()
            let token = try await first.createToken(owner: anna, admin: false, label: "").text
            try first.close()
            let second = try KilnStore(path: path)
            #expect(try await second.resource(Workmachine.self, machine.metadata.id) == machine)
            #expect(try await second.token(token)?.owner == anna)
            #expect(try await second.lastSequence() == 1)
            try second.close()
        }
    }

    @Test func `what was answered survives a kill at any moment`() async throws {
        try await withDirectory { directory in
            let store = try KilnStore(path: "\(directory)/kiln.sqlite")
            let machine = try await store.makeWorkmachine()
            for index in 0..<20 {
                let workspace = try await store.makeWorkspace("w\(index)", on: machine)
                // What a kill leaves: the files as they are now, without anybody having closed them.
                let copy = "\(directory)/copy\(index)"
                try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
                for suffix in ["", "-wal"] {
                    try FileManager.default.copyItem(atPath: "\(directory)/kiln.sqlite\(suffix)", toPath: "\(copy)/kiln.sqlite\(suffix)")
                }
                let reopened = try KilnStore(path: "\(copy)/kiln.sqlite")
                #expect(try await reopened.resource(Workspace.self, workspace.metadata.id) == workspace)
                #expect(try await reopened.ids(.workspace).count == index + 1)
                try reopened.close()
            }
            try store.close()
        }
    }

    @Test func `a store of a newer Kiln is refused`() async throws {
        try await withDirectory { directory in
            let path = "\(directory)/kiln.sqlite"
            try KilnStore(path: path).close()
            let queue = try DatabaseQueue(path: path)
            try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('99 from the future')") }
            try queue.close()
            #expect(throws: KilnError.self) { try KilnStore(path: path) }
        }
    }

    @Test func `a full disk is said, nothing is half written, and space heals it`() async throws {
        try await withDirectory { directory in
            try #require(mount("tmpfs", directory, "tmpfs", 0, "size=1m") == 0, "needs root")
            defer { umount(directory) }
            let store = try KilnStore(path: "\(directory)/kiln.sqlite")
            let machine = try await store.makeWorkmachine()
            var made = 0
            var failure: KilnError?
            while failure == nil, made < 5000 {
                do {
                    _ = try await store.makeWorkspace("w\(made)", on: machine)
                    made += 1
                } catch let error as KilnError {
                    failure = error
                }
            }
            #expect(failure?.code == .diskFull)
            #expect(try await store.ids(.workspace).count == made)
            #expect(try await store.lastSequence() == Int64(made + 1))
            #expect(mount("tmpfs", directory, "tmpfs", UInt(MS_REMOUNT), "size=8m") == 0)
            let next = try await store.makeWorkspace("w\(made)", on: machine)
            #expect(next.spec.addressIndex == made + 1)
            try store.close()
        }
    }
}
