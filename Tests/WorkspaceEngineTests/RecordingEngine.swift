import KilnModel
import Synchronization
import WorkspaceEngine

/// An engine that notes every call and does what a test tells it to; what was not told fails.
final class RecordingEngine: WorkspaceEngine {
    struct Script: Sendable {
        var info: @Sendable () async throws -> EngineInfo = { throw unexpected() }
        var order: @Sendable (String) async throws -> Void = { _ in }
        var applyWorkspace: @Sendable (WorkspaceTarget) async throws -> WorkspaceObservation = { _ in throw unexpected() }
        var applyEnvironment: @Sendable (EnvironmentTarget) async throws -> EnvironmentObservation = { _ in throw unexpected() }
        var hasImage: @Sendable (ImageBuild) async throws -> Bool = { _ in throw unexpected() }
        var build: @Sendable (ImageBuild, ByteStream, @Sendable (String) async -> Void) async throws -> Void = { _, _, _ in throw unexpected() }
        var missing: @Sendable (FileCopies) async throws -> [FileCopy] = { _ in throw unexpected() }
        var store: @Sendable (FileCopy, FileCopies, ByteStream) async throws -> Void = { _, _, _ in throw unexpected() }
        var session: @Sendable (SessionRequest, WorkspaceTarget, SessionInput, @escaping SessionOutput) async throws -> Void = { _, _, _, _ in
            throw unexpected()
        }
        var serviceSession: @Sendable (SessionRequest, ServiceReference, SessionInput, @escaping SessionOutput) async throws -> Void = {
            _, _, _, _ in
            throw unexpected()
        }
        var logs: @Sendable (LogRequest, @Sendable (LogLine) async throws -> Void) async throws -> Void = { _, _ in throw unexpected() }
        var usage: @Sendable (WorkspaceTarget) async throws -> WorkspaceUsage = { _ in throw unexpected() }
        var traffic: @Sendable (WorkspaceTarget) async throws -> [InterceptTraffic] = { _ in throw unexpected() }
        var packages = PackageScript()
        var observations: @Sendable (@Sendable (ResourceReference) async -> Void) async throws -> Void = { _ in throw unexpected() }
    }

    struct PackageScript: Sendable {
        var search: @Sendable (PackageQuery) async throws -> [PackageSummary] = { _ in throw unexpected() }
        var details: @Sendable (PackageName) async throws -> PackageDetails = { _ in throw unexpected() }
        var resolve: @Sendable ([PackageWish]) async throws -> [PackageResolution] = { _ in throw unexpected() }
        var apply: @Sendable (PackagesTarget, @Sendable (PackageProgress) async -> Void) async throws -> PackagesObservation = { _, _ in
            throw unexpected()
        }
        var origins: @Sendable (String, PackagesTarget) async throws -> [PackageOrigin] = { _, _ in throw unexpected() }
        var usage: @Sendable (WorkmachineTarget) async throws -> PackageUsage = { _ in throw unexpected() }
        var collectGarbage: @Sendable (WorkmachineTarget) async throws -> GarbageCollection = { _ in throw unexpected() }
    }

    private static func unexpected() -> KilnError { KilnError(.internalError, "The test did not expect this call.") }

    private let script: Script
    private let recorded = Mutex<[String]>([])

    init(_ change: (inout Script) -> Void = { _ in }) {
        var script = Script()
        change(&script)
        self.script = script
    }

    /// One line per call: the verb and its argument.
    var calls: [String] { recorded.withLock { $0 } }

    private func note(_ call: String) { recorded.withLock { $0.append(call) } }

    private func order(_ call: String) async throws {
        note(call)
        try await script.order(call)
    }

    func info() async throws -> EngineInfo {
        note("info")
        return try await script.info()
    }

    func prune(keeping inventory: Inventory) async throws { try await order("prune \(inventory.workspaces.map(\.value).sorted())") }
    func apply(_ workmachine: WorkmachineTarget) async throws { try await order("apply workmachine \(workmachine.id) \(workmachine.rangeIndex)") }
    func remove(_ workmachine: WorkmachineTarget) async throws { try await order("remove workmachine \(workmachine.id) \(workmachine.rangeIndex)") }
    func remove(_ workspace: WorkspaceTarget) async throws { try await order("remove workspace \(workspace.id)") }
    func remove(_ environment: EnvironmentTarget, volumes: Bool) async throws { try await order("remove environment \(environment.id) \(volumes)") }

    func apply(_ workspace: WorkspaceTarget) async throws -> WorkspaceObservation {
        note("apply workspace \(workspace.id)")
        return try await script.applyWorkspace(workspace)
    }

    func apply(_ environment: EnvironmentTarget) async throws -> EnvironmentObservation {
        note("apply environment \(environment.id)")
        return try await script.applyEnvironment(environment)
    }

    func hasImage(of build: ImageBuild) async throws -> Bool {
        note("has image \(build.context)")
        return try await script.hasImage(build)
    }

    func missing(_ copies: FileCopies) async throws -> [FileCopy] {
        note("missing \(copies.copies.count) of \(copies.environment)")
        return try await script.missing(copies)
    }

    func store(_ copy: FileCopy, of copies: FileCopies, tar: ByteStream) async throws {
        note("store \(copy.origin) of \(copies.environment)")
        try await script.store(copy, copies, tar)
    }

    func build(_ build: ImageBuild, context: ByteStream, progress: @escaping @Sendable (String) async -> Void) async throws {
        note("build \(build.context)")
        try await script.build(build, context, progress)
    }

    func session(_ request: SessionRequest, in workspace: WorkspaceTarget, input: SessionInput, output: @escaping SessionOutput) async throws {
        note("session \(request.command)")
        try await script.session(request, workspace, input, output)
    }

    func session(_ request: SessionRequest, in service: ServiceReference, input: SessionInput, output: @escaping SessionOutput) async throws {
        note("session \(request.command) in \(service.name)")
        try await script.serviceSession(request, service, input, output)
    }

    func logs(_ request: LogRequest, output: @escaping @Sendable (LogLine) async throws -> Void) async throws {
        note("logs")
        try await script.logs(request, output)
    }

    func usage(of workspace: WorkspaceTarget) async throws -> WorkspaceUsage {
        note("usage \(workspace.id)")
        return try await script.usage(workspace)
    }

    func traffic(of workspace: WorkspaceTarget) async throws -> [InterceptTraffic] {
        note("traffic \(workspace.id)")
        return try await script.traffic(workspace)
    }

    func observations(_ changed: @escaping @Sendable (ResourceReference) async -> Void) async throws {
        note("observations")
        try await script.observations(changed)
    }
}

extension RecordingEngine {
    func search(_ query: PackageQuery) async throws -> [PackageSummary] {
        note("search \(query.text)")
        return try await script.packages.search(query)
    }

    func details(of package: PackageName) async throws -> PackageDetails {
        note("details of \(package)")
        return try await script.packages.details(package)
    }

    func resolve(_ wishes: [PackageWish]) async throws -> [PackageResolution] {
        note("resolve \(wishes.map(\.description).joined(separator: " "))")
        return try await script.packages.resolve(wishes)
    }

    func apply(_ packages: PackagesTarget, progress: @escaping @Sendable (PackageProgress) async -> Void) async throws -> PackagesObservation {
        note("apply packages \(packages.generation) of \(packages.workspace)")
        return try await script.packages.apply(packages, progress)
    }

    func origins(of item: String, in packages: PackagesTarget) async throws -> [PackageOrigin] {
        note("origins of \(item)")
        return try await script.packages.origins(item, packages)
    }

    func usage(of workmachine: WorkmachineTarget) async throws -> PackageUsage {
        note("package usage of \(workmachine.id)")
        return try await script.packages.usage(workmachine)
    }

    func collectGarbage(
        on workmachine: WorkmachineTarget, progress: @escaping @Sendable (PackageProgress) async -> Void
    ) async throws -> GarbageCollection {
        note("collect garbage on \(workmachine.id)")
        return try await script.packages.collectGarbage(workmachine)
    }
}

/// Values to send.
enum Sample {
    static let workmachine = WorkmachineTarget(id: .random(), rangeIndex: 3)

    static func workspace() throws -> WorkspaceTarget {
        WorkspaceTarget(
            id: .random(), name: try Name("hello"), workmachine: workmachine, state: .running,
            image: try ImageReference("localhost/kiln/workspace"), limits: ResourceLimits(milliCPUs: 1500, memory: 1 << 30, pids: 4096),
            variables: [try EnvironmentVariable("GREETING=héllo wörld")], repository: nil, address: AddressPlan.workspace(7),
            connection: ConnectionTarget(
                environment: .random(), probe: .init(service: try Name("postgres"), address: AddressPlan.virtual(1), port: .init(5432))))
    }

    static func environment() throws -> EnvironmentTarget {
        let build = try imageBuild()
        let service = Service(
            name: try Name("api"), addressIndex: 2, image: .build(build), ports: [.init(8080)], restart: .onFailure(maximumRetries: 3))
        return EnvironmentTarget(
            id: .random(), name: try Name("shop"), rangeIndex: 4, volumeSet: .random(), state: .running, services: [service],
            uplink: AddressPlan.environment(2))
    }

    static func imageBuild() throws -> ImageBuild {
        ImageBuild(context: try ContentDigest(String(repeating: "ab", count: 32)), arguments: [try EnvironmentVariable("VERSION=1")])
    }
}
