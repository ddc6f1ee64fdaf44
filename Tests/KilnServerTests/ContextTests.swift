import Crypto
import FoundationEssentials
import KilnModel
import Testing

@Suite struct ContextTests {
    private static func digest(_ text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func left(_ kilnd: ServerFixture) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(kilnd.directory)/kilnd/contexts")
    }

    @Test func `a context is kept under its hash, for nobody else's eyes`() async throws {
        try await ServerFixture.with { kilnd in
            let text = String(repeating: "tar ", count: 100_000)
            let path = "/api/v1/contexts/\(Self.digest(text))"
            #expect(try await kilnd.send("HEAD", path).status == 404)
            #expect(try await kilnd.send("PUT", path, body: text).status == 201)
            #expect(try await kilnd.send("HEAD", path).status == 200)
            #expect(try await kilnd.send("PUT", path, body: text).status == 204)
            let file = "\(kilnd.directory)/kilnd/contexts/\(Self.digest(text)).tar"
            #expect(try Data(contentsOf: URL(filePath: file)) == Data(text.utf8))
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test func `what is not what its name says is refused, and nothing stays`() async throws {
        try await ServerFixture.with { kilnd in
            let answer = try await kilnd.send("PUT", "/api/v1/contexts/\(Self.digest("right"))", body: "wrong")
            #expect(answer.status == 400)
            #expect(answer.text.contains("invalid-build-context"))
            #expect(try left(kilnd) == [])
            #expect(try await kilnd.send("PUT", "/api/v1/contexts/..%2f..%2fx", body: "x").status == 400)
        }
    }

    @Test func `a context over the limit is refused, said beforehand or not`() async throws {
        try await ServerFixture.with(maximumContext: 1000) { kilnd in
            let text = String(repeating: "x", count: 2000)
            #expect(try await kilnd.send("PUT", "/api/v1/contexts/\(Self.digest(text))", body: text).status == 413)
            try await RawConnection.with(port: kilnd.port) { connection in
                try await connection.send(
                    "PUT /api/v1/contexts/\(Self.digest(text)) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(kilnd.anna)\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                try await connection.sendChunk(Array(text.utf8))
                try await connection.sendChunk([])
                #expect(try await connection.answer().status == 413)
            }
            #expect(try left(kilnd) == [])
        }
    }

    @Test func `an upload that is cut off leaves nothing`() async throws {
        try await ServerFixture.with { kilnd in
            try await RawConnection.with(port: kilnd.port) { connection in
                try await connection.send(
                    "PUT /api/v1/contexts/\(Self.digest("x")) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(kilnd.anna)\r\nContent-Length: 1000\r\n\r\nhalf"
                )
                while try left(kilnd).isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            }
            for _ in 0..<200 where try !left(kilnd).isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            #expect(try left(kilnd) == [])
        }
    }

    @Test func `an environment whose context was not uploaded is refused`() async throws {
        try await ServerFixture.with { kilnd in
            try await kilnd.makeMachine()
            let body =
                #"{"name":"shop","bundle":{"sources":{"files":[{"path":"compose.yaml","text":"services:\n  api:\n    build: ./api\n"}],"texts":{},"#
                + #""absent":[],"variables":{},"profiles":[]},"contexts":{"./api":"\#(Self.digest("x"))"},"copies":{},"secrets":[]}}"#
            let answer = try await kilnd.send("POST", "/api/v1/environments", body: body)
            #expect(answer.status == 400)
            #expect(answer.text.contains("invalid-build-context"), "\(answer.text)")
            #expect(try await kilnd.send("PUT", "/api/v1/contexts/\(Self.digest("x"))", body: "x").status == 201)
            #expect(try await kilnd.send("POST", "/api/v1/environments", body: body).status == 201)
            try await kilnd.wait("/api/v1/environments/shop") { $0.contains(#""phase":"Running""#) }
        }
    }
}
