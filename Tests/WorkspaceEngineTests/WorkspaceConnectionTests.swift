import Foundation
import KilnModel
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import WorkspaceEngine

@Suite struct `A connection from a workspace` {
    private static let users = 0..<65536

    /// Listens as a workspace's socket does.
    private static func listen(_ wire: WireFixture, _ workspace: ResourceID, users: Range<Int> = users) async throws -> (UnixListener, String) {
        let path = wire.directory + "/\(workspace).sock"
        let forwarder = wire.forwarder
        let listener = try await UnixListener.bind(path, mode: 0o666, group: MultiThreadedEventLoopGroup.singleton) { channel in
            forwarder.accept(channel, workspace: workspace, userIDs: users)
        }
        return (listener, path)
    }

    private static func caller(_ connection: AgentConnection) async throws -> WorkspaceConnection {
        for await caller in connection.workspaceConnections { return caller }
        throw CancellationError()
    }

    private static func bytes(_ caller: WorkspaceConnection) async throws -> ByteChannel {
        try await caller.open { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.syncOptions?.setOption(.autoRead, value: false)
                return try ByteChannel(wrapping: channel)
            }
        }
    }

    @Test func `says whose it is and carries bytes both ways, with half-closure`() async throws {
        try await WireFixture.with { wire in
            let connection = try await wire.connected()
            let workspace = ResourceID.random()
            let (listener, path) = try await Self.listen(wire, workspace)
            let client = try await ClientSocket.connect(path)
            let question = [UInt8](repeating: 1, count: 3_000_000)
            let answer = [UInt8](repeating: 2, count: 3_000_000)
            async let heard = client.readToEnd()
            async let asked: Void = { @Sendable in
                try await client.send(ByteBuffer(bytes: question))
                try await client.finish()
            }()
            let caller = try await Self.caller(connection)
            #expect(caller.workspace == workspace && caller.userID == 0)
            try await Task.sleep(for: .milliseconds(50))  // Bytes that came before the pipeline is complete are kept.
            let server = try await Self.bytes(caller)
            #expect(try await server.readToEnd() == question)
            try await server.send(ByteBuffer(bytes: answer))  // After the client has ended its side.
            try await server.finish()
            try await asked
            #expect(try await heard == answer)
            await listener.close()
        }
    }

    @Test func `carries an answer to its end though the server closes at once`() async throws {
        try await WireFixture.with { wire in
            let connection = try await wire.connected()
            let (listener, path) = try await Self.listen(wire, .random())
            let client = try await ClientSocket.connect(path)
            let server = try await Self.bytes(Self.caller(connection))
            // More than all windows; `close` follows without waiting for it.
            let answer = [UInt8](repeating: 3, count: 8_000_000)
            server.channel.writeAndFlush(ByteBuffer(bytes: answer), promise: nil)
            server.close()
            #expect(try await client.readToEnd() == answer)
            await listener.close()
        }
    }

    @Test func `is cut when the caller dies, and the server hears of it`() async throws {
        try await WireFixture.with { wire in
            let connection = try await wire.connected()
            let (listener, path) = try await Self.listen(wire, .random())
            let client = try await ClientSocket.connect(path)
            let server = try await Self.bytes(Self.caller(connection))
            try await client.send(ByteBuffer(string: "hello"))
            #expect(try await server.next() == ByteBuffer(string: "hello"))
            client.close()
            let closed = Signal()
            server.channel.closeFuture.whenComplete { _ in closed.fire() }
            do { while try await server.next() != nil {} } catch {}
            // Like a socket's: writing to a caller that is gone fails, once the news is back.
            do { while true { try await server.send(ByteBuffer(repeating: 0, count: 1000)) } } catch {}
            await closed.wait("the server's channel stays open")
            await listener.close()
        }
    }

    @Test func `waits its turn when more come than streams are parked`() async throws {
        try await WireFixture.with { wire in
            let connection = try await wire.connected()
            let (listener, path) = try await Self.listen(wire, .random())
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await withThrowingTaskGroup(of: Void.self) { servers in
                        var count = 0
                        for await caller in connection.workspaceConnections {
                            servers.addTask {
                                let server = try await Self.bytes(caller)
                                while let bytes = try await server.next() { try await server.send(bytes) }
                                try await server.finish()
                            }
                            count += 1
                            if count == 40 { break }
                        }
                        try await servers.waitForAll()
                    }
                }
                for index in 0..<40 {
                    group.addTask {
                        let client = try await ClientSocket.connect(path)
                        try await client.send(ByteBuffer(string: "caller \(index)"))
                        try await client.finish()
                        #expect(try await client.readToEnd() == Array("caller \(index)".utf8))
                    }
                }
                try await group.waitForAll()
            }
            await listener.close()
        }
    }

    @Test func `serves HTTP/1 on the channel as on a socket`() async throws {
        try await WireFixture.with { wire in
            let connection = try await wire.connected()
            let (listener, path) = try await Self.listen(wire, .random())
            let client = try await ClientSocket.connect(path)
            try await client.send(ByteBuffer(string: "GET /hello HTTP/1.1\r\nHost: kiln\r\nConnection: close\r\n\r\n"))
            let caller = try await Self.caller(connection)
            let server = try await caller.open { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    return try NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
            try await server.executeThenClose { inbound, outbound in
                for try await part in inbound {
                    if case .head(let head) = part { #expect(head.uri == "/hello") }
                    guard case .end = part else { continue }
                    try await outbound.write(.head(.init(version: .http1_1, status: .ok, headers: ["content-length": "2"])))
                    try await outbound.write(.body(.byteBuffer(ByteBuffer(string: "hi"))))
                    try await outbound.write(.end(nil))
                    break
                }
            }
            let heard = String(decoding: try await client.readToEnd(), as: UTF8.self)
            #expect(heard.hasPrefix("HTTP/1.1 200 OK\r\n") && heard.hasSuffix("\r\n\r\nhi"))
            await listener.close()
        }
    }

    @Test func `is told when kilnd is away, and served again when it is back`() async throws {
        try await WireFixture.with(dialing: false) { wire in
            let (listener, path) = try await Self.listen(wire, .random())
            let client = try await ClientSocket.connect(path)
            try await client.send(ByteBuffer(string: "GET /api/v1/session HTTP/1.1\r\nHost: kiln\r\n\r\n"))
            let heard = String(decoding: try await client.readToEnd(), as: UTF8.self)
            client.close()
            #expect(heard.hasPrefix("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"))
            let body = try #require(heard.components(separatedBy: "\r\n\r\n").last)
            #expect(heard.contains("Content-Length: \(body.utf8.count)\r\n"))
            let problem = try #require(JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
            #expect(problem["code"] as? String == "engine-unavailable" && problem["category"] as? String == "unavailable")
            #expect(problem["status"] as? Int == 503)
            #expect(problem["detail"] as? String == "Kiln's server is not running; your workspace and its connection go on.")

            let dialer = Task { await WireFixture.dialer(wire.directory, RecordingEngine(), wire.forwarder).run() }
            let connection = try await wire.connected()
            let again = try await ClientSocket.connect(path)
            try await again.send(ByteBuffer(string: "x"))
            let server = try await Self.bytes(Self.caller(connection))
            #expect(try await server.next() == ByteBuffer(string: "x"))
            dialer.cancel()
            await dialer.value
            again.close()
            await listener.close()
        }
    }

    @Test func `of a user outside the machine's range is refused`() async throws {
        try await WireFixture.with { wire in
            let connection = try await wire.connected()
            let first = 0x1000_0000 + 3 * 65536
            let (listener, path) = try await Self.listen(wire, .random(), users: first..<(first + 65536))
            #expect(chmod(wire.directory, 0o755) == 0)
            let script = """
                import socket, sys
                s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1])
                try: s.send(b"hello"); print(s.recv(100).decode())
                except (ConnectionResetError, BrokenPipeError): print()
                """
            for stranger in [0, 65534, UInt32(first - 1), UInt32(first + 65536)] {
                #expect(try await runAs(stranger, ["/usr/bin/python3", "-c", script, path]) == "\n", "user \(stranger) got in")
            }
            async let welcome = runAs(UInt32(first + 1000), ["/usr/bin/python3", "-c", script, path])
            let caller = try await Self.caller(connection)
            #expect(caller.userID == 1000)
            let server = try await Self.bytes(caller)
            #expect(try await server.next() == ByteBuffer(string: "hello"))
            try await server.send(ByteBuffer(string: "hello yourself"))
            #expect(try await welcome == "hello yourself\n")
            server.close()
            await listener.close()
        }
    }
}
