import KilnModel
import LinuxNetwork
import Logging

/// Gives a service's traffic back the moment nobody in the workspace listens any more, and takes it again when somebody does.
///
/// What is to be watched it learns from the kernel's tables after a start, and from every `apply` later; without kilnd it works on.
actor InterceptKeeper {
    /// Says that what is known of a workspace's intercepts changed.
    typealias Changed = @Sendable (_ workspace: ResourceID) -> Void

    /// Between two looks for a listener; only while an intercept waits for one, since nothing tells of its start.
    private static let interval = Duration.milliseconds(200)

    private let network: InstanceNetwork
    private let watch: ListenerWatch
    private let changed: Changed
    private let logger: Logger
    /// What each was when last looked at; workspaces without intercepts are not here.
    private var states: [ResourceID: [InterceptState]] = [:]
    private var scan: Task<Void, Never>?

    init(network: InstanceNetwork, changed: @escaping Changed, logger: Logger) throws {
        self.network = network
        self.changed = changed
        self.logger = logger
        watch = try ListenerWatch()
    }

    /// Reviews what an earlier run left, then follows the listeners until cancelled.
    func run() async throws {
        defer { scan?.cancel() }
        for workspace in try await network.inventory().workspaces {
            try await follow(workspace)
            await review(workspace)
        }
        for await changes in watch.changes {
            for workspace in Set(changes.filter(concernsIntercept).map(\.workspace)) { await review(workspace) }
        }
    }

    /// Begins to follow a workspace's listeners. Before its intercepts are set, or a listener's end between the two would be missed.
    func follow(_ workspace: ResourceID) async throws {
        try await watch.watch(workspace, network.workspaceNamespace(workspace))
    }

    /// Takes note of what `setIntercepts` made.
    func keep(_ workspace: ResourceID, _ now: [InterceptState]) {
        states[workspace] = now.isEmpty ? nil : now
        if now.isEmpty { watch.forget(workspace) }
        scanWhileWaiting()
    }

    func forget(_ workspace: ResourceID) { keep(workspace, []) }

    private func concernsIntercept(_ change: ListenerWatch.Change) -> Bool {
        switch change {
        case .ended(let workspace, let port): states[workspace, default: []].contains { $0.intercept.targetPort == port }
        case .missed(let workspace): states[workspace] != nil
        }
    }

    private func review(_ workspace: ResourceID) async {
        do {
            let now = try await network.reviewIntercepts(workspace: workspace)
            guard now != states[workspace, default: []] else { return keep(workspace, now) }
            keep(workspace, now)
            changed(workspace)
        } catch {
            logger.warning("intercepts could not be reviewed", metadata: ["workspace": "\(workspace)", "error": "\(error)"])
        }
    }

    private var waiting: [ResourceID: Set<ServicePort>] {
        states.mapValues { Set($0.filter { !$0.isOn }.map(\.intercept.targetPort)) }.filter { !$0.value.isEmpty }
    }

    private func scanWhileWaiting() {
        guard scan == nil, !waiting.isEmpty else { return }
        scan = Task { await self.lookForListeners() }
    }

    private func lookForListeners() async {
        while !waiting.isEmpty {
            do { try await Task.sleep(for: Self.interval) } catch { break }
            for (workspace, targets) in waiting {
                do {
                    if try await !network.listeners(of: workspace).isDisjoint(with: targets) { await review(workspace) }
                } catch {
                    logger.warning("listeners could not be looked up", metadata: ["workspace": "\(workspace)", "error": "\(error)"])
                }
            }
        }
        scan = nil
    }
}
