import Foundation
import KilnModel
import Logging
import NIOCore
import Testing

@testable import WorkspaceEngine

/// Both ends of the connection, in this process, over real unix sockets in a directory of their own.
struct WireFixture: Sendable {
    let directory: String
    let listener: AgentListener
    let forwarder: WorkspaceForwarder
    let connections: Connections

    var socketPath: String { Self.socketPath(in: directory) }

    /// The connection that is there now.
    func connected() async throws -> AgentConnection { try await connections.next() }

    /// Hands out connections to one test, one after the other.
    actor Connections {
        private let stream: AsyncStream<AgentConnection>
        init(_ stream: AsyncStream<AgentConnection>) { self.stream = stream }

        func next() async throws -> AgentConnection {
            for await connection in stream { return connection }
            throw CancellationError()
        }
    }

    static func socketPath(in directory: String) -> String { directory + "/agent/agent.sock" }

    static func logger(_ label: String) -> Logger {
        var logger = Logger(label: label)
        logger.logLevel = .warning
        return logger
    }

    static func temporaryDirectory() throws -> String {
        var template = Array("/tmp/kiln-wire-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    static func dialer(_ directory: String, _ engine: any WorkspaceEngine, _ forwarder: WorkspaceForwarder) -> AgentDialer {
        let server = EngineServer(engine: engine, forwarder: forwarder, logger: logger("agent"))
        return AgentDialer(socketPath: socketPath(in: directory), serverUserID: geteuid(), server: server, logger: logger("agent"))
    }

    static func with(
        _ engine: any WorkspaceEngine = RecordingEngine(), dialing: Bool = true, pingInterval: TimeAmount = WireSettings.pingInterval,
        _ body: @escaping @Sendable (WireFixture) async throws -> Void
    ) async throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var accepting = AgentListener(socketPath: socketPath(in: directory), agentUserIDs: [geteuid()], logger: logger("kilnd"))
        accepting.pingInterval = pingInterval
        let listener = accepting
        let forwarder = WorkspaceForwarder(logger: logger("forwarder"))
        let fixture = WireFixture(directory: directory, listener: listener, forwarder: forwarder, connections: Connections(listener.connections))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await listener.run()
                return false
            }
            group.addTask {
                await forwarder.run()
                return false
            }
            if dialing {
                group.addTask {
                    await dialer(directory, engine, forwarder).run()
                    return false
                }
            }
            group.addTask {
                try await body(fixture)
                return true
            }
            while try await group.next() == false {}
            group.cancelAll()
        }
    }
}

/// Something a test waits for; fails the test when it does not come in time.
final class Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func fire() { continuation.yield() }

    func wait(_ what: Comment, within seconds: Double = 10, sourceLocation: SourceLocation = #_sourceLocation) async {
        let came = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in self.stream { return true }
                return false
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds))
                return false
            }
            let came = await group.next()!
            group.cancelAll()
            return came
        }
        #expect(came, what, sourceLocation: sourceLocation)
    }
}

/// Waits until cancelled, and says so.
func sleepUntilCancelled(_ cancelled: Signal) async throws {
    do {
        try await Task.sleep(for: .seconds(600))
    } catch {
        cancelled.fire()
        throw error
    }
}

/// The middle one, in microseconds.
func median(_ durations: [Duration]) -> Double { percentile(durations, 0.5) }

func percentile(_ durations: [Duration], _ share: Double) -> Double {
    let sorted = durations.sorted()
    return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] / .microseconds(1)
}
