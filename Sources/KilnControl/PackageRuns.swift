internal import KilnModel
internal import Synchronization
internal import WorkspaceEngine

/// The calls of engines for packages that are under way, one for each workspace at most.
final class PackageRuns: Sendable {
    typealias Work = Task<PackagesObservation, any Error>

    private let running = Mutex<[ResourceID: (target: PackagesTarget, work: Work)]>([:])

    /// Runs `body`, which `overtake` and `stop` may cancel. It is known before it begins: what `stop` does not find has not begun, and must see
    /// for itself then that it is no longer wanted.
    func run(_ target: PackagesTarget, _ body: @escaping @Sendable () async throws -> PackagesObservation) async throws -> PackagesObservation {
        let work = running.withLock { running in
            let work = Work { try await body() }
            running[target.workspace] = (target, work)
            return work
        }
        defer { running.withLock { $0[target.workspace] = nil } }
        return try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            work.cancel()
        }
    }

    /// Cancels what installs something that is not wanted any more; what only has come since waits its turn, as nothing is lost by that.
    func overtake(by workspace: Workspace) {
        let wanted = Set(workspace.spec.packages.map(\.storePath))
        let run = running.withLock { $0[workspace.metadata.id] }
        guard let run, run.target.packages.contains(where: { !wanted.contains($0.storePath) }) else { return }
        run.work.cancel()
    }

    /// Cancels what is under way for a workspace, and waits for its end.
    func stop(_ workspace: ResourceID) async {
        guard let run = running.withLock({ $0[workspace] }) else { return }
        run.work.cancel()
        _ = await run.work.result
    }
}
