import FoundationEssentials
import KilnControl
import KilnModel
import KilnServer
import KilnStore
import Logging
import NIOCore
import Testing
import WorkspaceEngine

/// An engine in memory that is connected as kiln-agent would be.
struct MemoryConnection: EngineConnection {
    let engine: InMemoryEngine
    let workspaceConnections: AsyncStream<MemoryCaller>

    func closed() async {
        do {
            while true { try await Task.sleep(for: .seconds(3600)) }
        } catch {
            // Cancelled: the test is over.
        }
    }
}

/// A connection out of a workspace: the other end is a socket of the test's.
struct MemoryCaller: WorkspaceCaller {
    let workspace: ResourceID
    let channel: any Channel

    func open<Output: Sendable>(_ configure: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>) async throws -> Output {
        let channel = channel
        return try await channel.eventLoop.flatSubmit {
            configure(channel).flatMap { output in
                channel.setOption(.autoRead, value: true).map { output }
            }
        }.get()
    }
}

/// A kilnd that serves on a port of its own, with an engine in memory.
struct ServerFixture: Sendable {
    let port: Int
    let engine: InMemoryEngine
    let callers: AsyncStream<MemoryCaller>.Continuation
    let directory: String
    /// Tokens of anna, ben and an admin.
    let anna: String
    let ben: String
    let admin: String

    static func with(
        connected: Bool = true, directory given: String? = nil, maximumContext: Int = 1 << 20,
        _ body: @escaping @Sendable (ServerFixture) async throws -> Void
    ) async throws {
        let directory = given ?? FileManager.default.temporaryDirectory.path + "/kiln-server-\(ResourceID.random())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer {
            do {
                if given == nil { try FileManager.default.removeItem(atPath: directory) }
            } catch { print("left over: \(directory): \(error)") }
        }
        var configuration = try Configuration(
            instance: Instance(name: name("test"), slot: 31), port: 0, stateDirectory: directory, runtimeDirectory: directory)
        configuration.maximumContext = maximumContext
        configuration.heartbeat = 0.2
        let settings = configuration
        let (connections, continuation) = AsyncStream<MemoryConnection>.makeStream()
        let (callers, arrivals) = AsyncStream<MemoryCaller>.makeStream()
        let engine = InMemoryEngine()
        if connected { continuation.yield(MemoryConnection(engine: engine, workspaceConnections: callers)) }
        let tokens = (
            anna: try await KilnServer.createToken(settings, owner: name("anna"), admin: false, label: ""),
            ben: try await KilnServer.createToken(settings, owner: name("ben"), admin: false, label: ""),
            admin: try await KilnServer.createToken(settings, owner: name("root"), admin: true, label: "")
        )
        let (ports, listening) = AsyncStream<Int>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var logger = Logger(label: "test")
                logger.logLevel = .critical
                do {
                    try await KilnServer.run(settings, connections: connections, logger: logger) { listening.yield($0) }
                } catch is CancellationError {}
            }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let fixture = ServerFixture(
                port: port, engine: engine, callers: arrivals, directory: directory, anna: tokens.anna, ben: tokens.ben, admin: tokens.admin
            )
            try await body(fixture)
            continuation.finish()
            group.cancelAll()
        }
    }

    /// One request on a connection of its own.
    func send(
        _ method: String, _ path: String, token: String? = "anna", headers: [String: String] = [:], body: String? = nil
    ) async throws -> Answer {
        let tokens = ["anna": anna, "ben": ben, "admin": admin]
        return try await RawConnection.with(port: port) { connection in
            var headers = headers
            if headers["Host"] == nil { headers["Host"] = "127.0.0.1:\(port)" }
            if let token { headers["Authorization"] = "Bearer \(tokens[token] ?? token)" }
            if let body { headers["Content-Length"] = "\(body.utf8.count)" }
            headers["Connection"] = "close"
            let lines = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
            try await connection.send("\(method) \(path) HTTP/1.1\r\n\(lines)\r\n\(body ?? "")")
            let answer = try await connection.answer(hasBody: method != "HEAD")
            // Whatever a test is about, what it is answered has to be what the server says of itself.
            for violation in try await APIDescription.served(at: self.port).violations(method, path, request: body, answer) {
                Issue.record("\(method) \(path): \(violation)")
            }
            return answer
        }
    }

    /// Makes the workmachine `local` of anna's and waits until it can host.
    func makeMachine() async throws {
        #expect(try await send("POST", "/api/v1/workmachines", body: #"{"name":"local"}"#).status == 201)
        try await wait("/api/v1/workmachines/local") { $0.contains(#""phase":"Ready""#) }
    }

    func makeWorkspace(_ name: String) async throws -> Workspace {
        let answer = try await send("POST", "/api/v1/workspaces", body: #"{"name":"\#(name)"}"#)
        try #require(answer.status == 201, "\(answer.text)")
        try await wait("/api/v1/workspaces/\(name)") { $0.contains(#""phase":"Running""#) }
        return try JSONDecoder().decode(Workspace.self, from: Data(answer.body))
    }

    /// Asks until the answer is as wanted, at most ten seconds.
    func wait(_ path: String, token: String = "anna", until wanted: (String) -> Bool) async throws {
        var text = ""
        for _ in 0..<500 {
            text = try await send("GET", path, token: token).text
            if wanted(text) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("\(path) stays \(text)")
    }
}

func name(_ text: String) -> Name {
    do { return try Name(text) } catch { preconditionFailure("\(error)") }
}
