import FoundationEssentials
import Glibc
import KilnModel
import Synchronization
import Testing

@testable import LinuxEngine

@Suite(.timeLimit(.minutes(1))) struct LogFileTests {
    private static let text = """
        2026-02-03T10:00:00.5+00:00 stdout F one
        2026-02-03T11:00:01.250000001+01:00 stderr P two, 
        2026-02-03T10:00:02Z stdout F three
        no line of ours
        2026-02-03T10:00:03.000000000+00:00 stderr F and on
        2026-02-03T10:00:04Z stdout F 

        """

    @Test func `lines are read however the file is cut, and parts are put together`() throws {
        let base: Timestamp = 1_770_112_800
        let bytes = Array(Self.text.utf8)
        for size in 1...bytes.count {
            var parser = LogFileParser(replica: Replica(try Name("db")))
            var lines: [LogLine] = []
            for start in stride(from: 0, to: bytes.count, by: size) { lines += parser.append(Array(bytes[start..<min(start + size, bytes.count)])) }
            #expect(lines.map(\.text) == ["one", "three", "two, and on", ""])
            #expect(lines.map(\.time) == [base + 0.5, base + 2, base + 1.25, base + 4])
            #expect(lines.map(\.channel) == [.output, .output, .error, .output])
        }
    }

    @Test func `a line that did not end is given in the end`() throws {
        var parser = LogFileParser(replica: nil)
        let text = "2026-02-03T10:00:00Z stdout P Name: \n2026-02-03T10:00:01Z stderr P oh\n2026-02-03T10:00:02Z stderr F  no\n"
        #expect(parser.append(Array(text.utf8)).map(\.text) == ["oh no"])
        #expect(parser.isInLine)
        #expect(parser.end().map(\.text) == ["Name: "])
        #expect(!parser.isInLine && parser.end().isEmpty)
    }

    /// A log in a directory of its own, as a monitor would write it.
    private final class Log: Sendable {
        let root = FileManager.default.temporaryDirectory.path + "/kiln-log-\(ResourceID.random())"
        let file: ContainerLogFile
        private let count = Mutex(0)

        init() throws {
            file = ContainerLogFile(container: "c", storageRoot: root)
            try FileManager.default.createDirectory(atPath: file.directory, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }

        func write(_ words: String..., anew: Bool = false) throws {
            let path = file.directory + (anew ? "/ctr.log.tmp" : "/ctr.log")
            let number = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
            defer { close(number) }
            for word in words {
                let second = count.withLock { count in
                    count += 1
                    return count
                }
                let line = Array("2026-02-03T10:00:0\(second)Z stdout F \(word)\n".utf8)
                #expect(Glibc.write(number, line, line.count) == line.count)
            }
            if anew { rename(path, file.directory + "/ctr.log") }
        }
    }

    @Test func `the last lines and those since a time are told from the rest`() async throws {
        let log = try Log()
        func read(since: Timestamp? = nil, tail: Int? = nil) async throws -> [String] {
            var texts: [String] = []
            try await log.file.read(since: since, tail: tail) { texts.append($0.text) }
            return texts
        }
        #expect(try await read().isEmpty)
        try log.write("a", "b", "c", "d")
        #expect(try await read() == ["a", "b", "c", "d"])
        #expect(try await read(tail: 2) == ["c", "d"])
        #expect(try await read(tail: 0) == [])
        #expect(try await read(since: 1_770_112_803) == ["c", "d"])
        #expect(try await read(since: 1_770_112_803, tail: 1) == ["d"])
    }

    @Test func `a log is followed through a change of file to its directory's end`() async throws {
        let log = try Log()
        try log.write("a", "b")
        let watch = try DirectoryWatch()
        let watching = Task { try await watch.run() }
        let changes = try #require(try await watch.changes(in: log.file.directory))
        let (lines, seen) = AsyncStream<String>.makeStream()
        let reading = Task {
            defer { seen.finish() }
            try await log.file.read(tail: 1, changes: changes) { seen.yield($0.text) }
        }
        var iterator = lines.makeAsyncIterator()
        #expect(await iterator.next() == "b")
        try log.write("c")
        #expect(await iterator.next() == "c")
        try log.write("d", anew: true)
        #expect(await iterator.next() == "d")
        try log.write("e")
        #expect(await iterator.next() == "e")
        try FileManager.default.removeItem(atPath: log.root)
        #expect(await iterator.next() == nil)
        try await reading.value
        watching.cancel()
        _ = await watching.result
        #expect(try await watch.changes(in: log.file.directory) == nil)
    }
}
