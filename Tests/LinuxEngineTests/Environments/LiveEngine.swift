import FoundationEssentials
import Glibc
import KilnModel
import Logging
import Testing
import WorkspaceEngine

@testable import LinuxEngine

/// Tests of environments on a real engine, one after the other.
@Suite(.serialized, .timeLimit(.minutes(10))) enum LiveEnvironmentTests {}

/// An engine of an instance of its own, on the real kernel and Podman; nothing is left of it afterwards.
final class LiveEngine: Sendable {
    let engine: LinuxEngine

    private init(_ engine: LinuxEngine) { self.engine = engine }

    /// What services are made from: the image of a workspace.
    static let image: ImageReference = {
        do { return try ImageReference(LinuxEngine.baseImage) } catch { preconditionFailure("\(error)") }
    }()

    private struct NoSockets: WorkspaceSocketHost {
        func open(_ workspace: ResourceID, userIDs: Range<Int>) async throws -> String {
            throw KilnError(.internalError, "There are no workspaces here.")
        }
        func close(_ workspace: ResourceID) async throws {}
        func workspaces() throws -> [ResourceID] { [] }
    }

    static func configuration() throws -> LinuxEngine.Configuration {
        let tar = try #require(getenv("KILN_TEST_IMAGE_TAR"), "KILN_TEST_IMAGE_TAR must name the tar of a root filesystem")
        let name = "e" + String(UInt16.random(in: 0...UInt16.max), radix: 16)
        let instance = try Instance(name: Name(name), slot: Int.random(in: 8...30))
        return LinuxEngine.Configuration(
            instance: instance, stateDirectory: "/var/tmp/\(instance.prefix)", runtimeDirectory: "/run/\(instance.prefix)",
            toolsDirectory: "/usr/bin",
            baseImage: String(cString: tar))
    }

    /// Runs an engine for `body`; what it made stays.
    static func run<Result: Sendable>(
        _ configuration: LinuxEngine.Configuration, _ body: @Sendable @escaping (LiveEngine) async throws -> Result
    ) async throws -> Result {
        var logger = Logger(label: "test")
        logger.logLevel = .warning
        let engine = try await LinuxEngine(configuration: configuration, sockets: NoSockets(), logger: logger)
        let (ready, readiness) = AsyncStream.makeStream(of: Never.self)
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await supervised(engine, ready, readiness, body))
        } catch {
            outcome = .failure(error)
        }
        try await engine.containers.shutdown()
        return try outcome.get()
    }

    private static func supervised<Result: Sendable>(
        _ engine: LinuxEngine, _ ready: AsyncStream<Never>, _ readiness: AsyncStream<Never>.Continuation,
        _ body: @Sendable @escaping (LiveEngine) async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                do { try await engine.run { readiness.finish() } } catch is CancellationError {}
                return nil
            }
            group.addTask {
                for await _ in ready {}
                return try await body(LiveEngine(engine))
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw KilnError(.internalError, "The engine ended by itself.")
        }
    }

    /// Runs an engine for `body`, and removes everything afterwards.
    static func with(_ body: @Sendable @escaping (LiveEngine) async throws -> Void) async throws {
        let configuration = try configuration()
        do {
            try await run(configuration, body)
        } catch {
            try await purge(configuration)
            throw error
        }
        try await purge(configuration)
    }

    static func purge(_ configuration: LinuxEngine.Configuration) async throws {
        try await LinuxEngine.purge(configuration)
        for directory in [configuration.stateDirectory, configuration.runtimeDirectory] where access(directory, F_OK) == 0 {
            try FileManager.default.removeItem(atPath: directory)
        }
    }

    /// Applies a target whenever something changed, as kilnd does, until it is as wanted.
    @discardableResult
    func settle(
        _ target: EnvironmentTarget, seconds: Double = 60, until wanted: @Sendable @escaping ([Name: ServiceStatus]) -> Bool
    ) async throws -> [Name: ServiceStatus] {
        let changes = engine.observers.stream()
        return try await withThrowingTaskGroup(of: [Name: ServiceStatus].self) { group in
            let engine = engine
            group.addTask {
                func look() async throws -> [Name: ServiceStatus] {
                    let observation = try await engine.apply(target)
                    return Dictionary(uniqueKeysWithValues: observation.services.map { ($0.name, $0) })
                }
                var last = try await look()
                if wanted(last) { return last }
                for await change in changes where change.id == target.id {
                    last = try await look()
                    if wanted(last) { return last }
                }
                throw CancellationError()
            }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                let last = try await engine.apply(target).services.map { "\($0.name): \($0.phase) \($0.reason?.message ?? "")" }
                throw KilnError(.timedOut, "Waited in vain: \(last)")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    func running(_ target: EnvironmentTarget) async throws {
        try await settle(target) { $0.values.allSatisfy { $0.phase == .running || $0.phase == .healthy } }
    }

    /// Service (`api`; its second one `api-2`) → id of its container.
    func containers(of environment: ResourceID) async throws -> [String: String] {
        let found = try await engine.containers.list(label: "\(Label.id)=\(environment)")
        return Dictionary(
            uniqueKeysWithValues: found.map { container in
                let number = container.labels[Label.replica].flatMap { Int($0) } ?? 1
                return ((container.labels[Label.service] ?? "") + (number > 1 ? "-\(number)" : ""), container.id)
            })
    }

    /// What a program run in a service's container prints.
    func run(_ script: String, in environment: ResourceID, _ service: String, replica: Int? = nil) async throws -> String {
        let client = Client()
        let place = ServiceReference(environment: environment, name: try Name(service), replica: replica)
        try await engine.session(SessionRequest(command: ["/bin/bash", "-c", script]), in: place, input: client.input) { await client.take($0) }
        return await client.text
    }
}

/// Values of these tests.
enum Live {
    static func service(
        _ name: String, _ index: Int, _ script: String = "exec sleep infinity", restart: Service.RestartPolicy = .no,
        _ change: (inout Service) throws -> Void = { _ in }
    ) throws -> Service {
        var service = Service(
            name: try Name(name), addressIndex: index, image: .reference(LiveEngine.image), command: ["/bin/sh", "-c", script], restart: restart)
        try change(&service)
        return service
    }

    static func environment(_ services: Service...) throws -> EnvironmentTarget {
        EnvironmentTarget(
            id: .random(), name: try Name("shop"), rangeIndex: 1, volumeSet: .random(), state: .running, services: services,
            uplink: AddressPlan.environment(1))
    }
}
