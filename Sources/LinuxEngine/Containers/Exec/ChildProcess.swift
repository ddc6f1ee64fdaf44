import CTerminal
import FileWork
import FoundationEssentials
import Glibc
import KilnModel

/// A process held by a pidfd: a child of this one, or one attached to.
final class ChildProcess: Sendable {
    let pid: Int32
    private let handle: Descriptor

    private init(pid: Int32, handle: Int32) {
        self.pid = pid
        self.handle = Descriptor(owning: handle)
    }

    /// Where a program runs, when not in the agent's own surroundings.
    struct Surroundings: Sendable, Hashable {
        /// Path of a network namespace.
        var network: String
        /// File that it sees as `/etc/resolv.conf`.
        var resolver: String?
        /// Working directory.
        var directory: String
    }

    /// Starts a program in a session of its own, with nothing open but the three descriptors.
    static func spawn(
        _ path: String, _ arguments: [String], environment: [String: String], input: Descriptor, output: Descriptor, errorOutput: Descriptor,
        surroundings: Surroundings? = nil
    ) throws -> ChildProcess {
        var handle: Int32 = -1
        let descriptors = [input.number, output.number, errorOutput.number]
        let pid = withStrings([path] + arguments) { arguments in
            withStrings(environment.map { "\($0.key)=\($0.value)" }) { environment in
                guard let surroundings else { return kiln_spawn(path, arguments, environment, descriptors, nil, &handle) }
                return surroundings.network.withCString { network in
                    withOptionalString(surroundings.resolver) { resolver in
                        surroundings.directory.withCString { directory in
                            var places = kiln_surroundings(network: network, resolver: resolver, directory: directory)
                            return kiln_spawn(path, arguments, environment, descriptors, &places, &handle)
                        }
                    }
                }
            }
        }
        guard pid > 0 else { throw TrustedFiles.failure("start \(path)", code: -pid) }
        return ChildProcess(pid: pid, handle: handle)
    }

    /// Holds a process by its id; nil when there is none.
    static func attach(to pid: Int32) -> ChildProcess? {
        let handle = kiln_pidfd_open(pid)
        return handle >= 0 ? ChildProcess(pid: pid, handle: handle) : nil
    }

    /// Its children, each held. (proc_tid_children(5): exact for a process that waits for them, as an OCI runtime does.)
    func children() -> [ChildProcess] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
        let ids = tasks.flatMap { task in
            ((try? TrustedFiles.text(of: "/proc/\(pid)/task/\(task)/children")) ?? "").split(separator: " ").compactMap { Int32($0) }
        }
        return ids.compactMap { id in
            guard let child = ChildProcess.attach(to: id) else { return nil }
            // Looked at once it is held: a number whose process ended in between may be another's by now.
            guard ProcessStatus(of: Int(id))?.parent == pid else {
                child.close()
                return nil
            }
            return child
        }
    }

    /// Readable once the process has ended.
    var endDescriptor: Int32 { handle.number }

    /// Sends a signal; nothing when the process has ended.
    func send(_ signal: Int32) { _ = kiln_pidfd_signal(handle.number, signal) }

    /// The exit status if the process has ended, which also reaps it; nil while it runs. 128 + N when ended by signal N; 0 for one that is
    /// not a child.
    func status() -> Int? {
        var status: Int32 = 0
        switch kiln_pidfd_reap(handle.number, &status) {
        case 0: return nil
        case 1: return Int(status)
        default: return 0
        }
    }

    /// - Throws: `CancellationError`.
    func untilEnded() async throws { try await Readiness.readable(handle.number) }

    /// Waits for the end, and reaps.
    /// - Throws: `CancellationError`.
    func ended() async throws -> Int {
        try await untilEnded()
        return status() ?? 0
    }

    /// Asks the process to end, makes it after `grace`, and waits. Not for a task that is cancelled.
    func end(grace: Duration, with signal: Int32 = SIGTERM) async {
        send(signal)
        if (try? await Readiness.readable(handle.number, timeout: grace)) != true {
            send(SIGKILL)
            _ = try? await Readiness.readable(handle.number)
        }
        _ = status()
    }

    func close() { handle.close() }
}

private func withStrings<Result>(_ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    pointers.append(nil)
    defer { pointers.forEach { free($0) } }
    return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
}

private func withOptionalString<Result>(_ string: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let string else { return body(nil) }
    return string.withCString { body($0) }
}
