import Foundation
import KilnModel
import Synchronization

@testable import KilnAPI
@testable import KilnCommands

/// Values and places that tests share.
enum Fixtures {
    static let id = try! ResourceID("0123456789")
    static let shop = try! ResourceID("sh0p000000")

    static func workspace(version: Int = 1, observed: Int = 0, phase: Workspace.Phase = .pending, reason: Reason? = nil) -> Workspace {
        var workspace = Workspace(
            metadata: Metadata(id: id, name: try! Name("hello"), owner: try! Name("anna"), version: version, createdAt: 1000),
            spec: Workspace.Spec(
                workmachine: try! ResourceID("mach1ne000"), image: try! ImageReference("localhost/kiln/workspace"),
                limits: ResourceLimits(milliCPUs: 1500, memory: 4 << 30, pids: 1024), addressIndex: 1
            )
        )
        workspace.status.phase = phase
        workspace.status.observedVersion = observed
        workspace.status.reason = reason
        return workspace
    }

    static func environment(observed: Int = 0, phase: Environment.Phase = .pending, services: [ServiceStatus] = []) -> Environment {
        var environment = Environment(
            metadata: Metadata(id: shop, name: try! Name("shop"), owner: try! Name("anna"), createdAt: 1000),
            spec: Environment.Spec(workmachine: try! ResourceID("mach1ne000"), services: [], addressIndex: 1, rangeIndex: 2, volumeSet: id)
        )
        environment.status.phase = phase
        environment.status.observedVersion = observed
        environment.status.services = services
        return environment
    }

    static func json(_ value: some Encodable) throws -> String { String(decoding: try JSONEncoder().encode(value), as: UTF8.self) }

    static func event(_ event: ResourceEvent, id: Int = 1) throws -> [UInt8] {
        Array("id: \(id)\nevent: changed\ndata: \(try json(event))\n\n".utf8)
    }

    static func problem(_ error: KilnError) throws -> String { try json(Problem(error)) }

    /// Runs `body` with a folder of its own, removed afterwards.
    static func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(path: "kl-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await body(folder)
    }

    static func write(_ text: String, to path: String) throws {
        let folder = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }

    /// Runs a real program and gives what it printed.
    static func run(_ program: String, _ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw KilnError(.internalError, "\(program) ended with \(process.terminationStatus)") }
        return String(decoding: output, as: UTF8.self)
    }
}

/// What a run of `kl` printed.
final class Printed: Sendable {
    private let texts = Mutex((output: "", error: ""))

    var output: String { texts.withLock(\.output) }
    var error: String { texts.withLock(\.error) }

    var value: Output {
        Output(
            standard: .init(isTerminal: false, hasColours: false) { bytes in
                self.texts.withLock { $0.output += String(decoding: bytes, as: UTF8.self) }
            },
            error: .init(isTerminal: false, hasColours: false) { bytes in self.texts.withLock { $0.error += String(decoding: bytes, as: UTF8.self) } }
        )
    }
}

/// Runs `kl` in this process.
/// - Parameter socket: where a workspace's socket would be.
func kl(
    _ arguments: String..., at endpoint: Endpoint? = nil, environment: [String: String] = [:], input: Int32 = -1,
    socket: String = "/nonexistent/kl.sock",
    ask: (@Sendable (String) -> String?)? = nil
) async -> (status: Int32, printed: Printed) {
    await kl(arguments, at: endpoint, environment: environment, input: input, socket: socket, ask: ask)
}

func kl(
    _ arguments: [String], at endpoint: Endpoint? = nil, environment: [String: String] = [:], input: Int32 = -1,
    socket: String = "/nonexistent/kl.sock",
    ask: (@Sendable (String) -> String?)? = nil
) async -> (status: Int32, printed: Printed) {
    let printed = Printed()
    var variables = ["HOME": "/nonexistent"].merging(environment) { $1 }
    if let endpoint { variables["KILN_URL"] = endpoint.description }
    let context = Context(
        environment: variables, output: printed.value, input: Input(descriptor: input, ask: ask), workspaceSocket: socket, now: { 1060 }
    )
    return (await KlProgram.run(arguments, in: context), printed)
}
