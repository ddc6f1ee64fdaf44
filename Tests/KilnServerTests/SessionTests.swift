import FoundationEssentials
import KilnModel
import NIOCore
import NIOPosix
import Testing

/// Sessions over a real socket, the client writing and reading HTTP byte by byte.
@Suite struct SessionTests {
    private func session(
        _ kilnd: ServerFixture, at path: String = "workspaces/hello/sessions", _ command: [String],
        _ body: (RawConnection, FrameReader) async throws -> Void
    ) async throws {
        try await RawConnection.with(port: kilnd.port) { connection in
            try await connection.send(
                "POST /api/v1/\(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(kilnd.anna)\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            let request = try JSONEncoder().encode(SessionRequest(command: command))
            try await connection.sendChunk(SessionFrame.request(Array(request)).encoded)
            #expect(try await connection.head().status == 200)
            try await body(connection, FrameReader(connection))
        }
    }

    @Test func `the answer begins before the request has ended, and both go on`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            try await session(kilnd, ["cat"]) { connection, frames in
                for round in 0..<5 {
                    let bytes = Array("round \(round)".utf8)
                    try await connection.sendChunk(SessionFrame.input(bytes).encoded)
                    #expect(try await frames.next() == .output(bytes))
                }
                try await connection.sendChunk(SessionFrame.inputEnd.encoded)
                #expect(try await frames.next() == .exit(0))
                #expect(try await connection.chunk().isEmpty)
            }
            try await session(kilnd, ["exit", "42"]) { _, frames in
                let last = try await frames.next()
                #expect(last == .exit(42))
            }
            try await session(kilnd, ["wait"]) { connection, frames in
                try await connection.sendChunk(SessionFrame.signal(15).encoded)
                #expect(try await frames.next() == .exit(143))
            }
        }
    }

    @Test func `a program runs in a service of a running environment`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.apply("services:\n  db:\n    image: postgres:16\n", status: 201)
            try await session(kilnd, at: "environments/shop/sessions?service=db", ["exit", "5"]) { _, frames in
                let last = try await frames.next()
                #expect(last == .exit(5))
            }
            let path = "/api/v1/environments/shop/sessions"
            #expect(try await kilnd.send("POST", "\(path)?service=web", body: "").text.contains("It has db."))
            #expect(try await kilnd.send("POST", path, body: "").status == 400)
            #expect(try await kilnd.send("POST", "\(path)?service=db&owner=anna", token: "ben", body: "").status == 404)
            #expect(try await kilnd.send("POST", "/api/v1/environments/shop/stop").status == 202)
            #expect(try await kilnd.send("POST", "\(path)?service=db", body: "").text.contains("kl env start shop"))
        }
    }

    @Test func `when the client goes away the engine's session ends`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            for command in ["wait", "yes"] {
                try await session(kilnd, [command]) { _, _ in
                    for _ in 0..<500 where await kilnd.engine.sessionsOpen == 0 { try await Task.sleep(for: .milliseconds(10)) }
                    #expect(await kilnd.engine.sessionsOpen == 1)
                }
                for _ in 0..<500 where await kilnd.engine.sessionsOpen > 0 { try await Task.sleep(for: .milliseconds(10)) }
                #expect(await kilnd.engine.sessionsOpen == 0, "\(command)")
            }
        }
    }

    @Test func `a client that does not read stops the program that writes`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            try await session(kilnd, ["yes"]) { _, frames in
                // Until the buffers in between are full it goes on; then it stands still, whatever they hold. A busy machine makes it pause as
                // well, so that nothing follows from its standing still; but it must never be far ahead of whoever does not read.
                let bound = 64 << 20
                var (last, stood) = (-1, 0)
                while stood < 5, last < bound {
                    try await Task.sleep(for: .milliseconds(100))
                    let now = await kilnd.engine.sessionBytes
                    stood = now == last && now > 0 ? stood + 1 : 0
                    last = now
                }
                #expect(last < bound)
                // And goes on when the client reads again.
                var read = 0
                while read < last + (1 << 20) {
                    guard case .output(let bytes)? = try await frames.next() else { break }
                    read += bytes.count
                    let ahead = await kilnd.engine.sessionBytes - read
                    if ahead > bound { Issue.record("\(ahead) bytes were written ahead of their reader") }
                }
                #expect(await kilnd.engine.sessionBytes > last)
            }
        }
    }

    @Test func `a client that reads late gets all of it, and the end`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            try await session(kilnd, ["flood", "20"]) { _, frames in
                try await Task.sleep(for: .seconds(1))
                var read = 0
                while case .output(let bytes)? = try await frames.next() { read += bytes.count }
                #expect(read == 20 << 20)
            }
            // Little enough to lie in buffers when the session has ended already.
            try await session(kilnd, ["flood", "2"]) { _, frames in
                for _ in 0..<1000 where await kilnd.engine.sessionsOpen > 0 { try await Task.sleep(for: .milliseconds(10)) }
                #expect(await kilnd.engine.sessionsOpen == 0)
                for _ in 0..<2 { #expect(try await frames.next() == .output([UInt8](repeating: UInt8(ascii: "f"), count: 1 << 20))) }
                #expect(try await frames.next() == .exit(0))
                #expect(try await frames.next() == nil)
            }
        }
    }

    @Test func `what is no session frame ends in a failure, not in silence`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            try await session(kilnd, ["cat"]) { connection, frames in
                try await connection.sendChunk([99, 0, 0, 0, 0])
                guard case .failure(let json)? = try await frames.next() else {
                    Issue.record("no failure")
                    return
                }
                #expect(try JSONDecoder().decode(KilnError.self, from: Data(json)).code == .invalidValue)
            }
            try await session(kilnd, ["cat"]) { connection, frames in
                try await connection.sendChunk(SessionFrame.output([1]).encoded)
                guard case .failure? = try await frames.next() else {
                    Issue.record("no failure")
                    return
                }
            }
        }
    }

    @Test func `a follower of logs that goes away is not kept`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            _ = try await kilnd.makeWorkspace("hello")
            try await RawConnection.with(port: kilnd.port) { connection in
                try await connection.send(
                    "GET /api/v1/workspaces/hello/logs?follow=true&tail=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(kilnd.anna)\r\n\r\n")
                #expect(try await connection.head().status == 200)
                #expect(String(decoding: try await connection.chunk(), as: UTF8.self).contains("line 3"))
            }
        }
    }
}

/// Reads session frames from a chunked answer.
final class FrameReader {
    private let connection: RawConnection
    private var decoder = SessionFrameDecoder()

    init(_ connection: RawConnection) { self.connection = connection }

    func next() async throws -> SessionFrame? {
        while true {
            if let frame = try decoder.next() { return frame }
            let bytes = try await connection.chunk()
            guard !bytes.isEmpty else { return nil }
            decoder.append(bytes)
        }
    }
}
