public import KilnModel

/// An engine that only remembers: for tests of what drives engines. It outlives its connections, as a host does: what it holds is still
/// there after `disconnect` and `reconnect`.
public actor InMemoryEngine: WorkspaceEngine {
    /// A call as tests look for it or make it fail.
    public enum Call: Hashable, Sendable {
        case info, prune, build, hasImage, storeFiles
        /// What is asked about packages.
        case packages
        case applyPackages(ResourceID)
        case apply(ResourceID)
        case remove(ResourceID)
        case session(ResourceID)
    }

    public private(set) var calls: [Call] = []
    public private(set) var workmachines: [ResourceID: WorkmachineTarget] = [:]
    public private(set) var workspaces: [ResourceID: WorkspaceTarget] = [:]
    public private(set) var environments: [ResourceID: EnvironmentTarget] = [:]
    public private(set) var pruned: [Inventory] = []
    /// Environments that were removed with their volumes.
    public private(set) var removedVolumes: Set<ResourceID> = []
    /// Calls for one resource that were made while another for it was still going on: the protocol forbids them.
    public private(set) var overlaps = 0
    public private(set) var sessionsOpen = 0
    /// Bytes that sessions have written so far.
    public private(set) var sessionBytes = 0
    private var images: Set<ImageBuild> = []
    private var contexts: [ContentDigest: Int] = [:]
    /// Files and folders with the bytes of their tars.
    public private(set) var files: [FileCopy: Int] = [:]
    private var idleTargets: Set<UInt16> = []
    private var interceptFailure: KilnError?
    private var callers: [InterceptTraffic.Caller] = []
    private var servicePhases: [ResourceID: [Name: ServiceStatus.Phase]] = [:]
    private var failures: [Call: [KilnError?]] = [:]
    private var failuresOfNew: [KilnError] = []
    private var held: Set<Call> = []
    private var waiting: [Call: [CheckedContinuation<Void, Never>]] = [:]
    private var active: [ResourceID: Int] = [:]
    private var connected = true
    private var observers: [Int: AsyncThrowingStream<ResourceReference, any Error>.Continuation] = [:]
    private var nextObserver = 0
    private var printed: [LogRequest.Source: [LogLine]] = [:]
    private var readers: [Int: (source: LogRequest.Source, lines: AsyncThrowingStream<LogLine, any Error>.Continuation)] = [:]
    public internal(set) var packages = InMemoryPackages()
    private let host: EngineInfo

    public init(info: EngineInfo = EngineInfo(runtime: "none", engine: "in memory", kernel: "0", cpus: 4, memory: 16 << 30)) {
        host = info
    }

    // MARK: What tests do to it

    /// Lets the next calls fail, one error after the other; nil lets one through.
    public func fail(_ call: Call, with errors: KilnError?...) { failures[call, default: []] += errors }

    /// Lets the next applies of workspaces that are not known yet fail, one error after the other; none any more when empty.
    public func failApplies(with errors: [KilnError]) { failuresOfNew = errors }

    /// Calls of this kind wait until `release`.
    public func hold(_ call: Call) { held.insert(call) }

    public func release(_ call: Call) {
        held.remove(call)
        resume(call)
    }

    private func resume(_ call: Call) {
        for continuation in waiting.removeValue(forKey: call) ?? [] { continuation.resume() }
    }

    /// Everything fails with `engine-unavailable` and observations end, until `reconnect`.
    public func disconnect() {
        connected = false
        for observer in observers.values { observer.finish(throwing: Self.unavailable) }
        for reader in readers.values { reader.lines.finish(throwing: Self.unavailable) }
        observers = [:]
    }

    public func reconnect() { connected = true }

    /// What services become by themselves; says so to observers.
    public func set(_ phases: [Name: ServiceStatus.Phase], of environment: ResourceID) {
        servicePhases[environment, default: [:]].merge(phases) { $1 }
        observe(ResourceReference(kind: .environment, id: environment))
    }

    /// On which ports of all workspaces nothing listens; says so to the observers of `workspace`.
    public func setIdle(_ targets: Set<UInt16>, of workspace: ResourceID) {
        idleTargets = targets
        observe(ResourceReference(kind: .workspace, id: workspace))
    }

    /// Adds a line to a log, and shows it to whoever follows.
    public func print(_ line: LogLine, to source: LogRequest.Source) {
        printed[source, default: []].append(line)
        for reader in readers.values where reader.source == source { reader.lines.yield(line) }
    }

    /// Ends a log for whoever follows it.
    public func endLog(of source: LogRequest.Source) {
        for reader in readers.values where reader.source == source { reader.lines.finish() }
    }

    /// Why no intercept works, until nil; says so to the observers of `workspace`.
    public func failIntercepts(with error: KilnError?, of workspace: ResourceID) {
        interceptFailure = error
        observe(ResourceReference(kind: .workspace, id: workspace))
    }

    /// Who has called through every intercept.
    public func setCallers(_ callers: [InterceptTraffic.Caller]) { self.callers = callers }

    public func observe(_ reference: ResourceReference) {
        for observer in observers.values { observer.yield(reference) }
    }

    /// A workspace that exists already when a test begins.
    public func plant(_ workspace: WorkspaceTarget) { workspaces[workspace.id] = workspace }

    /// Bytes of the context that an image was built from; nil when it was not built here.
    public func contextSize(of digest: ContentDigest) -> Int? { contexts[digest] }

    private static let unavailable = KilnError(.engineUnavailable, "The engine is not connected.")

    func begin(_ call: Call, _ id: ResourceID? = nil) async throws {
        calls.append(call)
        guard connected else { throw Self.unavailable }
        if let id {
            active[id, default: 0] += 1
            if active[id, default: 0] > 1 { overlaps += 1 }
        }
        if held.contains(call) {
            await withTaskCancellationHandler {
                await withCheckedContinuation { waiting[call, default: []].append($0) }
            } onCancel: {
                Task { await self.resume(call) }
            }
            try Task.checkCancellation()
        }
        guard connected else { throw Self.unavailable }
        if let first = failures[call]?.first {
            failures[call]?.removeFirst()
            if let first { throw first }
        }
    }

    private func end(_ id: ResourceID) { active[id, default: 1] -= 1 }

    // MARK: WorkspaceEngine

    public func info() async throws -> EngineInfo {
        try await begin(.info)
        return host
    }

    public func prune(keeping inventory: Inventory) async throws {
        try await begin(.prune)
        pruned.append(inventory)
        workmachines = workmachines.filter { inventory.workmachines.contains($0.key) }
        workspaces = workspaces.filter { inventory.workspaces.contains($0.key) }
        environments = environments.filter { inventory.environments.contains($0.key) }
    }

    public func apply(_ workmachine: WorkmachineTarget) async throws {
        defer { end(workmachine.id) }
        try await begin(.apply(workmachine.id), workmachine.id)
        workmachines[workmachine.id] = workmachine
    }

    public func remove(_ workmachine: WorkmachineTarget) async throws {
        defer { end(workmachine.id) }
        try await begin(.remove(workmachine.id), workmachine.id)
        workmachines[workmachine.id] = nil
    }

    public func apply(_ workspace: WorkspaceTarget) async throws -> WorkspaceObservation {
        defer { end(workspace.id) }
        try await begin(.apply(workspace.id), workspace.id)
        if workspaces[workspace.id] == nil, !failuresOfNew.isEmpty { throw failuresOfNew.removeFirst() }
        workspaces[workspace.id] = workspace
        guard workspace.state == .running else { return WorkspaceObservation(state: .suspended) }
        guard let target = workspace.connection else { return WorkspaceObservation(state: .running) }
        guard environments[target.environment] != nil else {
            let failure = KilnError(.probeFailed, "The environment \(target.environment) is not there.")
            return WorkspaceObservation(state: .running, connectionFailure: failure)
        }
        return WorkspaceObservation(
            state: .running, connected: target.environment,
            intercepts: target.intercepts.map { intercept in
                let isIdle = idleTargets.contains(intercept.target) && intercept.fallback
                let state = interceptFailure.map { InterceptObservation.State.failing($0) } ?? (isIdle ? .waiting : .active)
                return InterceptObservation(serviceIndex: intercept.serviceIndex, port: intercept.port, state: state)
            }
        )
    }

    public func remove(_ workspace: WorkspaceTarget) async throws {
        defer { end(workspace.id) }
        try await begin(.remove(workspace.id), workspace.id)
        workspaces[workspace.id] = nil
        packages.applied[workspace.id] = nil
    }

    public func apply(_ environment: EnvironmentTarget) async throws -> EnvironmentObservation {
        defer { end(environment.id) }
        try await begin(.apply(environment.id), environment.id)
        environments[environment.id] = environment
        let phases = servicePhases[environment.id] ?? [:]
        return EnvironmentObservation(
            services: environment.services.map { service in
                let phase = environment.state == .stopped ? .stopped : phases[service.name] ?? (service.healthcheck == nil ? .running : .starting)
                return ServiceStatus(
                    name: service.name, phase: phase, address: AddressPlan.virtual(service.addressIndex), ports: service.ports,
                    exitStatus: phase == .exited ? 0 : phase == .failed ? 1 : nil, restarts: 0
                )
            }
        )
    }

    public func remove(_ environment: EnvironmentTarget, volumes: Bool) async throws {
        defer { end(environment.id) }
        try await begin(.remove(environment.id), environment.id)
        environments[environment.id] = nil
        if volumes { removedVolumes.insert(environment.id) }
    }

    public func hasImage(of build: ImageBuild) async throws -> Bool {
        try await begin(.hasImage)
        return images.contains(build)
    }

    public func build(_ build: ImageBuild, context: ByteStream, progress: @escaping @Sendable (String) async -> Void) async throws {
        await progress("STEP 1/2: FROM scratch")
        try await begin(.build)
        var size = 0
        for try await bytes in context { size += bytes.count }
        await progress("STEP 2/2: COPY . /")
        try Task.checkCancellation()
        contexts[build.context] = size
        images.insert(build)
    }

    public func missing(_ copies: FileCopies) async throws -> [FileCopy] {
        guard connected else { throw Self.unavailable }
        return copies.copies.filter { files[$0] == nil }
    }

    public func store(_ copy: FileCopy, of copies: FileCopies, tar: ByteStream) async throws {
        try await begin(.storeFiles)
        var size = 0
        for try await bytes in tar { size += bytes.count }
        files[copy] = size
    }

    /// Plays a few programs: `echo WORDS`, `cat`, `exit N`, `flood N` (writes N MiB), `yes` (writes without end) and `wait` (until its input ends).
    public func session(
        _ request: SessionRequest, in workspace: WorkspaceTarget, input: SessionInput, output: @escaping SessionOutput
    ) async throws {
        try await begin(.session(workspace.id))
        try await play(request, input, output)
    }

    public func session(
        _ request: SessionRequest, in service: ServiceReference, input: SessionInput, output: @escaping SessionOutput
    ) async throws {
        try await begin(.session(service.environment))
        try await play(request, input, output)
    }

    private func play(_ request: SessionRequest, _ input: SessionInput, _ output: @escaping SessionOutput) async throws {
        sessionsOpen += 1
        defer { sessionsOpen -= 1 }
        var status: UInt8 = 0
        switch request.command.first {
        case "echo": try await output(.output(Array((request.command.dropFirst().joined(separator: " ") + "\n").utf8)))
        case "exit": status = request.command.dropFirst().first.flatMap { UInt8($0) } ?? 1
        case "flood":
            let block = [UInt8](repeating: UInt8(ascii: "f"), count: 1 << 20)
            for _ in 0..<(request.command.dropFirst().first.flatMap { Int($0) } ?? 1) { try await output(.output(block)) }
        case "yes":
            let block = [UInt8](repeating: UInt8(ascii: "y"), count: 1 << 16)
            while true {
                try Task.checkCancellation()
                try await output(.output(block))
                sessionBytes += block.count
            }
        default:
            reading: for try await frame in input {
                switch frame {
                case .input(let bytes) where request.command.first == "cat": try await output(.output(bytes))
                case .signal(let number):
                    status = 128 + number
                    break reading
                case .inputEnd: break reading
                default: continue
                }
            }
        }
        try await output(.exit(status))
    }

    public func logs(_ request: LogRequest, output: @escaping @Sendable (LogLine) async throws -> Void) async throws {
        guard connected else { throw Self.unavailable }
        let (added, continuation) = AsyncThrowingStream<LogLine, any Error>.makeStream()
        let key = nextObserver
        nextObserver += 1
        if request.follow { readers[key] = (request.source, continuation) }
        defer { readers[key] = nil }
        let known = (printed[request.source] ?? Self.usualLines(of: request.source)).filter { $0.time >= request.since ?? 0 }
        for line in known.suffix(request.tail ?? known.count) { try await output(line) }
        guard request.follow else { return }
        for try await line in added { try await output(line) }
        try Task.checkCancellation()
    }

    /// What a log that nobody printed to holds.
    private static func usualLines(of source: LogRequest.Source) -> [LogLine] {
        var (service, replica): (Name?, Int?) = (nil, nil)
        if case .service(_, let name, let number) = source { (service, replica) = (name, number) }
        return (1...3).map { LogLine(service: service, replica: replica, time: Timestamp(seconds: Double($0)), channel: .output, text: "line \($0)") }
    }

    public func usage(of workspace: WorkspaceTarget) async throws -> WorkspaceUsage {
        guard connected else { throw Self.unavailable }
        return WorkspaceUsage(cpuNanoseconds: 1, memory: 2, processes: 3, limits: workspace.limits, diskFree: 4, diskSize: 5)
    }

    public func traffic(of workspace: WorkspaceTarget) async throws -> [InterceptTraffic] {
        guard connected else { throw Self.unavailable }
        return (workspace.connection?.intercepts ?? []).map {
            let connections = callers.map(\.connections).reduce(0, +)
            return InterceptTraffic(
                serviceIndex: $0.serviceIndex, port: $0.port, connections: connections, bytes: 100 * connections, callers: callers)
        }
    }

    public func observations(_ changed: @escaping @Sendable (ResourceReference) async -> Void) async throws {
        guard connected else { throw Self.unavailable }
        let (stream, continuation) = AsyncThrowingStream<ResourceReference, any Error>.makeStream()
        let key = nextObserver
        nextObserver += 1
        observers[key] = continuation
        defer { observers[key] = nil }
        for try await reference in stream { await changed(reference) }
        try Task.checkCancellation()
    }
}
