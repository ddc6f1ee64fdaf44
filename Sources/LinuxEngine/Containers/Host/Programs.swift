import Glibc
import KilnModel

/// The host's programs that Kiln starts by their path.
struct Programs: Sendable, Hashable {
    var podman: String
    var chown: String

    static func find() throws -> Programs {
        Programs(podman: try path("podman", package: "podman"), chown: try path("chown", package: "coreutils"))
    }

    /// Where `name` is among the system's folders; the PATH of whoever started the agent does not count.
    static func path(_ name: String, package: String) throws -> String {
        let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        let candidates: [String] = folders.map { "\($0)/\(name)" }
        guard let path = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw KilnError(.engineUnavailable, "The program \(name) is not installed.", hint: "apt-get install \(package)")
        }
        return path
    }
}
