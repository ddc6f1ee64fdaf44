import FileWork
import FoundationEssentials
import Glibc
import KilnModel

extension ContainerHost {
    /// Asks every program of a running container but its first to end, and waits until all have, `grace` at most.
    ///
    /// What runs in a terminal is hung up as well, since shells there ignore SIGTERM; what is stopped hears of neither before SIGCONT.
    /// - Returns: how many were still there when `grace` had passed.
    /// - Throws: `CancellationError`; `KilnError` when the container does not run.
    func endPrograms(of container: ContainerState, grace: Duration) async throws -> Int {
        let programs = try programs(of: container)
        for program in programs {
            program.send(SIGTERM)
            if program.hasTerminal { program.send(SIGHUP) }
            program.send(SIGCONT)
        }
        defer { for program in programs { program.close() } }
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            for program in programs { group.addTask { try await Readiness.readable(program.endDescriptor, timeout: grace) } }
            return try await group.reduce(into: 0) { left, ended in left += ended ? 0 : 1 }
        }
    }

    /// The processes of a container, its first left out, each held.
    private func programs(of container: ContainerState) throws -> [ChildProcess] {
        let held = try processIDs(of: container).compactMap { id in ChildProcess.attach(to: id).map { (id, $0) } }
        // Looked at once they are held: a number whose process ended in between may be another's by now.
        let present = Set(try processIDs(of: container))
        for (id, program) in held where !present.contains(id) { program.close() }
        return held.filter { present.contains($0.0) }.map(\.1)
    }

    private func processIDs(of container: ContainerState) throws -> [Int32] {
        guard let folder = cgroups.directory(of: container.id, controller: "pids") else {
            throw KilnError(.engineFailed, "This machine has no cgroup controller “pids”.")
        }
        return try TrustedFiles.text(of: "\(folder)/cgroup.procs").split(separator: "\n").compactMap { Int32($0) }.filter { $0 != container.pid }
    }
}

extension ChildProcess {
    /// Whether it has a controlling terminal.
    fileprivate var hasTerminal: Bool { ProcessStatus(of: Int(pid))?.hasTerminal ?? false }
}
