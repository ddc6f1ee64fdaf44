import KilnModel
import Synchronization
import WorkspaceEngine

/// The workspaces that were found whole, and whose first process runs on since: only their connection, or what they intercept, may have to
/// change.
///
/// To look at a container takes longer than to connect it, and to try a connection out several times as long as the switch of an intercept.
/// What is remembered here saves that and nothing else: the process is looked at again, and so is the link, by whoever changes it. An agent
/// that was restarted remembers nothing and looks at everything.
final class SettledWorkspaces: Sendable {
    private struct Entry {
        let target: WorkspaceTarget
        let process: ProcessIdentity
    }

    private let entries = Mutex<[ResourceID: Entry]>([:])

    /// What has to be done for a workspace whose container is as it should be.
    enum Remainder: Hashable {
        case connection
        /// Over the link that is there.
        case intercepts(ConnectionTarget)
    }

    /// Takes note of a running workspace that is connected as it should be; `process` is its container's first.
    func settle(_ target: WorkspaceTarget, process: ProcessIdentity?) {
        entries.withLock { $0[target.id] = process.map { Entry(target: target, process: $0) } }
    }

    func forget(_ workspace: ResourceID) { entries.withLock { $0[workspace] = nil } }

    /// All that is left to do for a workspace, with its first process; nil: look at everything.
    func remainder(for target: WorkspaceTarget) -> (Remainder, ProcessIdentity)? {
        guard let entry = entries.withLock({ $0[target.id] }), entry.process.isAlive else { return nil }
        let (now, then) = (target.connection, entry.target.connection)
        var before = entry.target
        before.connection = now
        guard before == target else { return nil }
        if now?.environment != then?.environment { return (.connection, entry.process) }
        // What to probe a connection by goes with what is intercepted. The same again: somebody wants to know that all is well.
        return now.flatMap { $0.intercepts != then?.intercepts ? (.intercepts($0), entry.process) : nil }
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
