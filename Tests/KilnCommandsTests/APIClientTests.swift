import Foundation
import KilnModel
import Testing

@testable import KilnAPI

@Suite("The API's client", .timeLimit(.minutes(1))) struct APIClientTests {
    private func withClient<Value: Sendable>(
        socket: String? = nil, token: String? = "secret", _ answer: @escaping @Sendable (TestServer.Exchange) async throws -> Void,
        _ body: @escaping @Sendable (APIClient, TestServer) async throws -> Value
    ) async throws -> Value {
        try await TestServer.run(socket: socket, answer) { server in
            let client = APIClient(endpoint: server.endpoint, token: token)
            do {
                let value = try await body(client, server)
                await client.close()
                return value
            } catch {
                await client.close()
                throw error
            }
        }
    }

    private static let workspace = Reference.name(QualifiedName(owner: try! Name("anna"), name: try! Name("hello")))

    @Test("sends consecutive calls over one connection, with the token and the owner") func keepAlive() async throws {
        let answer = try Fixtures.json(Fixtures.workspace())
        try await withClient({ try await $0.answer(answer) }) { client, server in
            for _ in 1...3 {
                let workspace = try await client.get(Workspace.self, Self.workspace)
                #expect(workspace == Fixtures.workspace())
            }
            #expect(await server.seen.connections == 1)
            let requests = await server.seen.requests
            #expect(requests.map(\.uri) == Array(repeating: "/api/v1/workspaces/hello?owner=anna", count: 3))
            #expect(requests[0].headers["Authorization"] == ["Bearer secret"])
        }
    }

    @Test("speaks over a unix socket, without a token") func unixSocket() async throws {
        let answer = try Fixtures.json(SessionInfo(owner: Name("anna"), role: .workspace, workspace: Name("hello"), version: "1"))
        try await Fixtures.withFolder { folder in
            try await withClient(socket: "\(folder)/kl.sock", token: nil, { try await $0.answer(answer) }) { client, server in
                let session = try await client.session()
                #expect(session.role == .workspace)
                #expect(await server.seen.requests[0].headers["Authorization"].isEmpty)
            }
        }
    }

    @Test("turns problems into errors with their code and hint, and goes on with the connection") func problems() async throws {
        let problem = try Fixtures.problem(KilnError(.nameTaken, "There is a hello already.", hint: "Choose another name."))
        try await withClient({ try await $0.answer(.conflict, type: "application/problem+json", problem) }) { client, server in
            for _ in 1...2 {
                let error = await #expect(throws: KilnError.self) { try await client.create(CreateWorkspace(name: Name("hello"))) }
                #expect(error == KilnError(.nameTaken, "There is a hello already.", hint: "Choose another name."))
            }
            #expect(await server.seen.connections == 1)
        }
    }

    @Test("makes what it can of an error without a problem") func foreignError() async throws {
        try await withClient({ try await $0.answer(.badGateway, type: "text/html", "<h1>no</h1>") }) { client, _ in
            let error = await #expect(throws: KilnError.self) { try await client.session() }
            #expect(error?.message == "The server answered with status 502: <h1>no</h1>.")
        }
    }

    @Test("finds the server by a name as by an address") func byName() async throws {
        try await TestServer.run({ try await $0.answer("{}") }) { server in
            let port = if case .tcp(_, let number) = server.endpoint { number } else { 0 }
            let client = APIClient(endpoint: .tcp(host: "localhost", port: port), token: nil)
            _ = try? await client.session()
            #expect(await server.seen.requests.first?.headers["Host"] == ["localhost:\(port)"])
            await client.close()
        }
    }

    @Test("says so when nothing listens, and how to mend it") func refused() async throws {
        let endpoint = try await TestServer.run({ try await $0.answer("") }) { $0.endpoint }
        let client = APIClient(endpoint: endpoint, token: nil)
        let error = await #expect(throws: KilnError.self) { () async throws in try await client.ready() }
        #expect(error?.code == .engineUnavailable)
        #expect(error?.message == "kilnd does not answer at \(endpoint): connection refused.")
        #expect(error?.hint == "make up")
        await client.close()
    }

    @Test("repeats a GET when the server has just closed the idle connection, not a POST that began") func staleConnection() async throws {
        let answer = try Fixtures.json(Fixtures.workspace())
        try await withClient({ exchange in
            if exchange.number == 1 { throw TestServer.HangUp() }
            try await exchange.answer(answer)
        }) { client, server in
            _ = try await client.get(Workspace.self, Self.workspace)
            _ = try await client.get(Workspace.self, Self.workspace)
            #expect(await server.seen.connections == 2)
        }
        try await withClient({ _ in throw TestServer.HangUp() }) { client, server in
            let error = await #expect(throws: KilnError.self) { try await client.suspend(Self.workspace) }
            #expect(error?.code == .engineUnavailable)
            #expect(await server.seen.requests.count == 1)
        }
    }

    @Test("gives events as they come, until told to stop") func events() async throws {
        try await withClient({ exchange in
            #expect(exchange.head.uri == "/api/v1/events?resource=0123456789")
            #expect(exchange.head.headers["Last-Event-ID"] == ["4"])
            try await exchange.begin(type: "text/event-stream")
            let bytes = try Fixtures.event(.workspace(Fixtures.workspace(phase: .starting)), id: 5)
            try await exchange.write(Array(bytes.prefix(20)))
            try await exchange.write(Array(bytes.dropFirst(20)))
            try await exchange.write(Fixtures.event(.deleted(kind: .workspace, id: Fixtures.id), id: 6))
            // Held open: the client must not wait for an end.
            _ = try await exchange.next()
            try await Task.sleep(for: .seconds(30))
        }) { client, _ in
            var positions: [String?] = []
            try await client.events(of: Fixtures.id, after: "4") { position, event in
                positions.append(position)
                if case .deleted = event { return false }
                return true
            }
            #expect(positions == ["5", "6"])
        }
    }

    @Test("gives log lines, the last one without a line end too") func logs() async throws {
        let lines = try ["one", "two"].map { try Fixtures.json(LogLine(time: 1, channel: .output, text: $0)) }.joined(separator: "\n")
        try await withClient({ try await $0.answer(type: "application/x-ndjson", lines) }) { client, server in
            var texts: [String] = []
            try await client.logs(of: .environment, Self.workspace, services: [Name("api")], tail: 5) { texts.append($0.text) }
            #expect(texts == ["one", "two"])
            #expect(await server.seen.requests[0].uri == "/api/v1/environments/hello/logs?owner=anna&service=api&tail=5")
        }
    }

    @Test("uploads a context of known length, and believes a refusal that comes before its end") func upload() async throws {
        let digest = try ContentDigest(String(repeating: "a", count: 64))
        try await withClient({ exchange in
            if exchange.head.method == .HEAD { return try await exchange.answer(.notFound, "") }
            #expect(exchange.head.headers["Content-Length"] == ["3000000"])
            #expect(try await exchange.body().count == 3_000_000)
            try await exchange.answer(.created, "")
        }) { client, server in
            #expect(try await !client.hasContext(digest))
            var left = 3
            try await client.putContext(digest, length: 3_000_000) {
                left -= 1
                return left >= 0 ? [UInt8](repeating: 7, count: 1_000_000) : nil
            }
            #expect(await server.seen.connections == 1)
        }
        let problem = try Fixtures.problem(KilnError(.diskFull, "No room."))
        try await withClient({ exchange in
            try await exchange.begin(.insufficientStorage, type: "application/problem+json", length: problem.utf8.count)
            try await exchange.write(Array(problem.utf8))
            try await exchange.end()
            // Hanging up at once would be a race: the reset may overtake the answer.
            while try await exchange.next() != nil {}
        }) { client, _ in
            let error = await #expect(throws: KilnError.self) {
                try await client.putContext(digest, length: 1 << 40) { [UInt8](repeating: 7, count: 1 << 20) }
            }
            #expect(error?.code == .diskFull)
        }
    }

    @Test("holds a session in both directions at once") func session() async throws {
        try await withClient({ exchange in
            var decoder = SessionFrameDecoder()
            try await exchange.begin(type: "application/octet-stream")
            while let piece = try await exchange.next() {
                decoder.append(piece)
                while let frame = try decoder.next() {
                    switch frame {
                    case .request(let bytes): try await exchange.write(SessionFrame.errorOutput(bytes).encoded)
                    case .input(let bytes): try await exchange.write(SessionFrame.output(bytes).encoded)
                    case .inputEnd:
                        try await exchange.write(SessionFrame.exit(7).encoded)
                        return try await exchange.end()
                    default: break
                    }
                }
            }
        }) { client, _ in
            let request = SessionRequest(command: ["cat"])
            let frames = try await client.runSession(in: .workspace(Self.workspace), request) { sender, receiver in
                var frames: [SessionFrame?] = [try await receiver.next()]
                // Each answer is awaited before the next piece is sent: neither body may wait for the other's end.
                for text in ["one", "two"] {
                    try await sender.send(.input(Array(text.utf8)))
                    frames.append(try await receiver.next())
                }
                try await sender.send(.inputEnd)
                frames.append(try await receiver.next())
                return frames
            }
            #expect(frames.dropFirst() == [.output(Array("one".utf8)), .output(Array("two".utf8)), .exit(7)])
            guard case .errorOutput(let sent) = frames[0] else { throw TestServer.HangUp() }
            #expect(try JSONDecoder().decode(SessionRequest.self, from: Data(sent)) == request)
        }
    }

    @Test("stops sending when the other side does not read") func backPressure() async throws {
        try await withClient({ exchange in
            try await exchange.begin()
            try await Task.sleep(for: .seconds(30))
        }) { client, _ in
            let sent = try await client.runSession(in: .workspace(Self.workspace), SessionRequest(command: ["sleep"])) { sender, _ in
                try await withThrowingTaskGroup(of: Int.self) { group in
                    let counter = Counter()
                    group.addTask {
                        while !Task.isCancelled {
                            try await sender.send(.input([UInt8](repeating: 0, count: 1 << 16)))
                            await counter.add(1 << 16)
                        }
                        return 0
                    }
                    // The kernel takes a few megabytes; then it must stand still, and without back-pressure it never would.
                    var before = -1
                    while case let now = await counter.value, now != before, now < 64 << 20 {
                        before = now
                        try await Task.sleep(for: .milliseconds(500))
                    }
                    let total = await counter.value
                    await sender.connection.close()
                    return total
                }
            }
            #expect(sent > 0 && sent < 64 << 20)
        }
    }

    private actor Counter {
        private(set) var value = 0
        func add(_ count: Int) { value += count }
    }
}

@Suite("Addresses of kilnd") struct EndpointTests {
    @Test(
        "are understood",
        arguments: [
            ("http://127.0.0.1:7433", Endpoint.tcp(host: "127.0.0.1", port: 7433)), ("http://box/", .tcp(host: "box", port: 80)),
            ("http://[::1]:80", .tcp(host: "::1", port: 80)), ("unix:///run/kiln/kl.sock", .unix(path: "/run/kiln/kl.sock")),
        ]
    )
    func understood(text: String, endpoint: Endpoint) throws { #expect(try Endpoint(text) == endpoint) }

    @Test(
        "are refused when they are none",
        arguments: [
            "", "127.0.0.1", "http://", "http://a:0", "http://a:x", "http://a/b", "http://u@a", "https://a", "unix://x", "http://a b", "ftp://a",
        ]
    )
    func refused(text: String) { #expect(throws: KilnError.self) { try Endpoint(text) } }
}
