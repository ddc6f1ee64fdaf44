import FoundationEssentials
import KilnModel
import KilnStore
import Logging
import Testing
import WorkspaceEngine

@testable import KilnControl

/// A store, a controller that runs, and an engine that connects when told to.
struct Fixture: Sendable {
    let store: KilnStore
    let engine: InMemoryEngine
    let controller: Controller
    let owner = name("anna")

    /// - Parameter prepare: what the store holds before the controller starts.
    static func with(
        prepare: (Fixture) async throws -> Void = { _ in }, connected: Bool = true, _ body: (Fixture) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/kiln-control-\(ResourceID.random())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer {
            do { try FileManager.default.removeItem(atPath: directory) } catch { print("left over: \(directory): \(error)") }
        }
        let store = try KilnStore(path: "\(directory)/kiln.sqlite")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let controller = Controller(store: store, contexts: try BuildContexts(directory: "\(directory)/contexts"), logger: logger)
        let fixture = Fixture(store: store, engine: InMemoryEngine(), controller: controller)
        try await prepare(fixture)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await controller.run() } catch is CancellationError {}
            }
            if connected { group.addTask { await controller.serve(fixture.engine) } }
            try await body(fixture)
            group.cancelAll()
        }
        try store.close()
    }

    /// Follows a resource from its current state until it is as wanted; nil once it is gone.
    /// - Throws: `timed-out` with its last state.
    @discardableResult
    func wait<R: StoredResource>(
        _ type: R.Type, _ id: ResourceID, seconds: Double = 10, until wanted: @escaping @Sendable (R?) -> Bool
    ) async throws -> R? {
        try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask {
                let start = try await store.lastSequence()
                let current = try await store.resource(type, id)
                if wanted(current) { return current }
                for try await change in try await store.changes(after: start) where change.id == id {
                    let resource = try change.resource(type)
                    if wanted(resource) { return resource }
                }
                return nil
            }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                let last = try await store.resource(type, id)
                throw KilnError(.timedOut, "waited in vain; it is \(String(describing: last))")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    func gone<R: StoredResource>(_ resource: R) async throws {
        try await wait(R.self, resource.metadata.id) { $0 == nil }
    }

    func running(_ workspace: Workspace) async throws {
        try await wait(Workspace.self, workspace.metadata.id) { $0?.status.phase == .running }
    }

    func makeWorkmachine() async throws -> Workmachine { try await store.createWorkmachine(name: name("local"), owner: owner) }

    func makeWorkspace(_ text: String, on machine: Workmachine, repository: RepositoryURL? = nil) async throws -> Workspace {
        let limits = ResourceLimits(milliCPUs: 1000, memory: 1 << 30, pids: 100)
        let draft = WorkspaceDraft(
            workmachine: machine.metadata.id, image: try ImageReference("localhost/kiln/workspace"), limits: limits, repository: repository
        )
        return try await store.createWorkspace(name: name(text), owner: owner, draft)
    }

    func makeEnvironment(_ text: String, on machine: Workmachine, _ services: Service...) async throws -> Environment {
        try await store.createEnvironment(name: name(text), owner: owner, workmachine: machine.metadata.id, services: services)
    }
}

func name(_ text: String) -> Name {
    do { return try Name(text) } catch { preconditionFailure("\(error)") }
}

func service(
    _ text: String, index: Int = 1, build: ImageBuild? = nil, needs: [Service.Dependency] = [], check: Bool = false,
    restart: Service.RestartPolicy = .no
) throws -> Service {
    Service(
        name: name(text), addressIndex: index, image: try build.map { .build($0) } ?? .reference(ImageReference("postgres:16")),
        ports: [ServicePort(5432)], dependencies: needs, healthcheck: check ? .init(command: ["true"]) : nil, restart: restart
    )
}
