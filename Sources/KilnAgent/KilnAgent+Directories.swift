import Glibc
import KilnModel

extension KilnAgent {
    /// Makes the runtime directory, and in it the one that kilnd, who may not write here, listens in. `/run` is empty after a reboot.
    static func prepare(_ configuration: AgentConfiguration) throws {
        try TrustedDirectory.make(configuration.runtimeDirectory, user: geteuid(), group: getegid(), mode: 0o755)
        let user = try configuration.peerUserID()
        let agent = String(configuration.agentSocket.dropLast("/agent.sock".count))
        try TrustedDirectory.make(agent, user: user, group: nil, mode: 0o700)
    }
}

/// A directory whose parent no workspace can write to.
enum TrustedDirectory {
    /// Makes the directory, or corrects the one that is there. A link in its place is an error.
    /// - Parameter group: nil leaves it as it is.
    static func make(_ path: String, user: uid_t, group: gid_t?, mode: mode_t) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("make \(path)") }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open \(path)") }
        defer { close(descriptor) }
        guard fchown(descriptor, user, group ?? gid_t.max) == 0, fchmod(descriptor, mode) == 0 else { throw failure("own \(path)") }
    }

    /// What `errno` says about `what`.
    static func failure(_ what: String) -> KilnError {
        KilnError(.engineFailed, "Cannot \(what): \(String(cString: strerror(errno))).")
    }
}
