import FoundationEssentials
import KilnModel
import Synchronization
import Testing
import WorkspaceEngine

@testable import KilnServer

@Suite struct LogTests {
    private func line(_ service: String, _ time: Timestamp, _ text: String = "") -> LogLine {
        LogLine(service: name(service), time: time, channel: .output, text: text)
    }

    private static let compose = "services:\n  db:\n    image: postgres:16\n  api:\n    image: api:1\n"

    /// An environment whose services have printed, by turns.
    private func prepare(_ kilnd: ServerFixture) async throws -> ResourceID {
        try await kilnd.makeMachine()
        let id = try #require(try await kilnd.apply(Self.compose, status: 201).environment?.metadata.id)
        for number in 1...20 {
            let service = number % 3 == 0 ? "db" : "api"
            await kilnd.engine.print(line(service, Timestamp(seconds: Double(number))), to: .service(environment: id, name: name(service)))
        }
        return id
    }

    private func times(_ text: String) throws -> [Timestamp] {
        try text.split(separator: "\n").map { try JSONDecoder().decode(LogLine.self, from: Data($0.utf8)).time }
    }

    @Test func `the lines of several services come in the order of their times`() async throws {
        try await ServerFixture.with { kilnd in
            _ = try await prepare(kilnd)
            let path = "/api/v1/environments/shop/logs"
            #expect(try times(try await kilnd.send("GET", path).text) == (1...20).map { Timestamp(seconds: Double($0)) })
            #expect(try times(try await kilnd.send("GET", "\(path)?service=db&service=api&tail=2").text) == [15, 18, 19, 20])
            #expect(try times(try await kilnd.send("GET", "\(path)?service=db&since=1970-01-01T00:00:09Z").text) == [9, 12, 15, 18])
            #expect(try await kilnd.send("GET", "\(path)?since=yesterday").status == 400)
            #expect(try await kilnd.send("GET", "\(path)?since=9").text.contains("2026-02-03T10:00:00Z"))
            #expect(try await kilnd.send("GET", "\(path)?service=db&service=web").text.contains("It has db, api."))
        }
    }

    @Test func `whoever follows gets what there was, then what comes, each line once, and new services too`() async throws {
        try await ServerFixture.with { kilnd in
            let id = try await prepare(kilnd)
            try await follow(kilnd, "?follow=true&tail=1") { next in
                #expect(try await [next(), next()].map(\.?.time) == [18, 20])
                await kilnd.engine.print(line("db", 21), to: .service(environment: id, name: name("db")))
                #expect(try await next()?.time == 21)
                _ = try await kilnd.apply(Self.compose + "  web:\n    image: nginx:1\n", status: 202)
                // One that has not printed yet shows its first lines.
                #expect(try await [next(), next(), next()].map(\.?.text) == ["line 1", "line 2", "line 3"])
                #expect(try await kilnd.send("DELETE", "/api/v1/environments/shop").status == 202)
                let last = try await next()
                #expect(last == nil)
            }
        }
    }

    @Test func `one log's end ends no other`() async throws {
        try await ServerFixture.with { kilnd in
            let id = try await prepare(kilnd)
            try await follow(kilnd, "?follow=true&tail=1") { next in
                #expect(try await [next(), next()].map(\.?.time) == [18, 20])
                await kilnd.engine.print(line("db", 21), to: .service(environment: id, name: name("db")))
                await kilnd.engine.print(line("api", 22), to: .service(environment: id, name: name("api")))
                #expect(Set(try await [next(), next()].map(\.?.time)) == [21, 22])
                await kilnd.engine.endLog(of: .service(environment: id, name: name("db")))
                try await Task.sleep(for: .milliseconds(100))
                await kilnd.engine.print(line("api", 23), to: .service(environment: id, name: name("api")))
                #expect(try await next()?.time == 23)
            }
        }
    }

    @Test func `without old lines the new ones are shown all the same`() async throws {
        try await ServerFixture.with { kilnd in
            let id = try await prepare(kilnd)
            try await follow(kilnd, "?follow=true&tail=0&service=db") { next in
                try await Task.sleep(for: .milliseconds(200))
                let now = Timestamp(seconds: Date.now.timeIntervalSince1970)
                await kilnd.engine.print(line("db", now), to: .service(environment: id, name: name("db")))
                #expect(try await next()?.time == now)
            }
        }
    }

    /// Follows the environment's log, a line at a time; nil at the end.
    private func follow(_ kilnd: ServerFixture, _ query: String, _ body: (() async throws -> LogLine?) async throws -> Void) async throws {
        try await RawConnection.with(port: kilnd.port) { connection in
            try await connection.send(
                "GET /api/v1/environments/shop/logs\(query) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(kilnd.anna)\r\n\r\n")
            #expect(try await connection.head().status == 200)
            var lines: [Substring] = []
            try await body {
                if lines.isEmpty { lines = String(decoding: try await connection.chunk(), as: UTF8.self).split(separator: "\n") }
                guard !lines.isEmpty else { return nil }
                return try JSONDecoder().decode(LogLine.self, from: Data(lines.removeFirst().utf8))
            }
        }
    }

    @Test func `merging keeps every line and its order, whoever is quick or slow`() async throws {
        for sources in [0, 1, 2, 7] {
            let merge = LogMerge(sources: sources)
            let merged = try await withThrowingTaskGroup(of: Void.self) { group in
                for source in 0..<sources {
                    group.addTask {
                        for number in 0..<(source * 40) {
                            if number % 17 == source { await Task.yield() }
                            try await merge.give(line("s\(source)", Timestamp(seconds: Double(number * sources + source))), from: source)
                        }
                        await merge.close(source)
                    }
                }
                var times: [Timestamp] = []
                while let line = await merge.next() { times.append(line.time) }
                try await group.waitForAll()
                return times
            }
            #expect(merged == merged.sorted())
            #expect(merged.count == (0..<sources).reduce(0) { $0 + $1 * 40 })
        }
    }

    @Test func `whoever waits to give a line can be cancelled`() async throws {
        let merge = LogMerge(sources: 2)
        let giving = Task { try await merge.give(line("a", 1), from: 0) }
        try await Task.sleep(for: .milliseconds(20))
        giving.cancel()
        await #expect(throws: CancellationError.self) { try await giving.value }
    }
}
