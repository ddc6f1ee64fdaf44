import FileWork
import FoundationEssentials
import Glibc
public import KilnModel

extension LinuxEngine {
    public func info() async throws -> EngineInfo {
        let version = try await containers.asKilnError("ask Podman for its version") { try await containers.client.version().version }
        return EngineInfo(
            runtime: containers.runtime, engine: "podman \(version)", kernel: try Self.kernel(), cpus: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))),
            memory: Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE))))
    }

    /// uname(2)'s release.
    private static func kernel() throws -> String {
        (try TrustedFiles.readText("/proc/sys/kernel/osrelease") ?? "").trimmingPrefix { $0.isWhitespace }.prefix { !$0.isWhitespace }.description
    }
}
