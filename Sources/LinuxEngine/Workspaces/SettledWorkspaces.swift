import KilnModel
import Synchronization
import WorkspaceEngine

/// The workspaces that were found whole, and whose first process runs on since: only their intercepts may have to change.
///
/// To look at a container and to try a connection out takes several times as long as the switch of an intercept. What is remembered here saves
/// that and nothing else: the process is looked at again, and so is the link, by whoever sets the intercepts. An agent that was restarted
/// remembers nothing and looks at everything.
final class SettledWorkspaces: Sendable {
    private struct Entry {
        let target: WorkspaceTarget
        let process: ProcessIdentity
    }

    private let entries = Mutex<[ResourceID: Entry]>([:])

    /// Takes note of a running, connected workspace; `process` is its container's first.
    func settle(_ target: WorkspaceTarget, process: ProcessIdentity?) {
        entries.withLock { $0[target.id] = process.map { Entry(target: target, process: $0) } }
    }

    func forget(_ workspace: ResourceID) { entries.withLock { $0[workspace] = nil } }

    /// The first process of a workspace that has to be told of other intercepts and of nothing else; nil: look at everything.
    func processNeedingOnlyIntercepts(_ target: WorkspaceTarget) -> ProcessIdentity? {
        guard let entry = entries.withLock({ $0[target.id] }), entry.process.isAlive else { return nil }
        // The same again: somebody wants to know that all is well.
        guard let now = target.connection, let then = entry.target.connection, now.environment == then.environment, now.intercepts != then.intercepts
        else { return nil }
        var before = entry.target
        // What to probe a connection by goes with what is intercepted.
        before.connection = now
        return before == target ? entry.process : nil
    }
}

/// A process that no later one can be taken for: its id and when it began.
struct ProcessIdentity: Sendable, Hashable {
    let pid: Int
    let start: String

    /// nil when there is no such process, or it has ended and waits to be reaped.
    init?(pid: Int) {
        guard let status = ProcessStatus(of: pid), !status.hasEnded else { return nil }
        self.pid = pid
        start = String(status.start)
    }

    var isAlive: Bool { ProcessIdentity(pid: pid) == self }
}
