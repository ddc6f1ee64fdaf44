public import KilnModel
public import KilnStore
public import Logging
internal import Synchronization
internal import WorkspaceEngine

/// Makes what is true what (the store says) is wanted.
///
/// It follows the change feed and what engines observe, and looks at one resource at a time for each id, always from scratch: it compares
/// what should be with what an engine says is there, so it may be killed anywhere.
public final class Controller: Sendable {
    public let store: KilnStore
    public let link = EngineLink()
    public let contexts: BuildContexts
    public let metrics = ControlMetrics()
    let logger: Logger
    let queue: ReconcileQueue
    /// Of workspaces' packages.
    let packageQueue: ReconcileQueue
    let packageRuns = PackageRuns()
    /// The generation of each workspace's packages that the connected engine was seen to show.
    let verifiedPackages = Mutex<[ResourceID: Int]>([:])
    let seen = Mutex(SeenVersions())
    /// The version of each workspace that an engine was last told of with success.
    let applied = Mutex<[ResourceID: Int]>([:])
    let builds = Mutex<[ResourceID: Task<Void, any Error>]>([:])
    let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - parallel: how many resources are looked at at once.
    ///   - parallelPackages: how many workspaces' packages; most of the time they wait for the network or for each other.
    public init(
        store: KilnStore, contexts: BuildContexts, logger: Logger, parallel: Int = 8, parallelPackages: Int = 64,
        now: @escaping @Sendable () -> Timestamp = KilnStore.systemTime
    ) {
        self.store = store
        self.contexts = contexts
        self.logger = logger
        self.now = now
        queue = ReconcileQueue(limit: parallel)
        packageQueue = ReconcileQueue(limit: parallelPackages)
    }

    /// Runs until cancelled, or until the store fails.
    public func run() async throws {
        try await markUnreachable()
        try await sweepContexts()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.queue.run { key, failures in await self.reconcile(key, failures: failures) } }
            group.addTask { await self.packageQueue.run { key, failures in await self.reconcilePackages(of: key, failures: failures) } }
            group.addTask { try await self.followFeed() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func reconcile(_ key: ResourceReference, failures: Int) async -> ReconcileOutcome {
        let clock = ContinuousClock()
        let start = clock.now
        let outcome: ReconcileOutcome
        do {
            outcome =
                switch key.kind {
                case .workmachine: try await reconcileWorkmachine(key.id, failures: failures)
                case .workspace: try await reconcileWorkspace(key.id, failures: failures)
                case .environment: try await reconcileEnvironment(key.id, failures: failures)
                }
        } catch is CancellationError {
            outcome = .retry
        } catch {
            logger.error("reconcile failed", metadata: ["kind": "\(key.kind.rawValue)", "id": "\(key.id)", "error": "\(error)"])
            outcome = .retry
        }
        let took = start.duration(to: clock.now)
        metrics.record(key.kind, seconds: took / .seconds(1), failed: outcome == .retry)
        return outcome
    }

    private func reconcilePackages(of key: ResourceReference, failures: Int) async -> ReconcileOutcome {
        do {
            return try await reconcilePackages(key.id, failures: failures)
        } catch is CancellationError {
            return .retry
        } catch {
            logger.error("reconcile of packages failed", metadata: ["id": "\(key.id)", "error": "\(error)"])
            return .retry
        }
    }

    func sweepContexts() async throws {
        var needed: Set<ContentDigest> = []
        var after: QualifiedName?
        repeat {
            let page = try await store.list(Environment.self, after: after, limit: 100)
            for environment in page.items {
                needed.formUnion(environment.builds.map(\.build.context))
                needed.formUnion(environment.copies.map(\.digest))
            }
            after = page.next
        } while after != nil
        try contexts.sweep(keeping: needed, now: now())
    }
}

extension Environment {
    /// The distinct builds of its services, with the first service that wants each.
    var builds: [(service: Name, build: ImageBuild)] {
        var known: Set<ImageBuild> = []
        return spec.services.compactMap { service in
            guard case .build(let build) = service.image, known.insert(build).inserted else { return nil }
            return (service.name, build)
        }
    }
}
