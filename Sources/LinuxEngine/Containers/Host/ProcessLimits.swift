import CTerminal
import FileWork

/// Rlimits that containers and programs in them get: what this process may give, since a limit above its own is refused.
struct ProcessLimits: Sendable, Hashable {
    var openFiles: UInt64
    var processes: UInt64

    /// As high as this process can go, up to the kernel's default ceiling for open files and its highest process id, to which Podman lowers
    /// itself.
    static func ofThisProcess() throws -> ProcessLimits {
        let highestID = try UInt64(TrustedFiles.text(of: "/proc/sys/kernel/pid_max").split(whereSeparator: \.isWhitespace).first ?? "") ?? 1 << 15
        return ProcessLimits(openFiles: min(kiln_open_files_limit(), 1 << 20), processes: min(kiln_processes_limit(), highestID))
    }
}
