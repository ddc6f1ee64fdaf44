import Glibc
import KilnModel

/// A system call that failed: its `errno`, and what was tried.
struct SystemCallError: Error {
    let number: CInt
    /// Reads on from “Could not”: `create the veth eth0`.
    let action: String
    /// What the kernel said beyond the number (NLMSGERR_ATTR_MSG), when it did.
    var detail: String?

    /// Takes `errno`: create it right after the call.
    static func last(_ action: @autoclosure () -> String) -> SystemCallError {
        let number = errno
        return SystemCallError(number: number, action: action())
    }

    var kilnError: KilnError {
        let reason = String(cString: strerror(number))
        let detail = detail.map { " (\($0))" } ?? ""
        let hint = number == EPERM || number == EACCES ? "Run it as root with CAP_NET_ADMIN and CAP_SYS_ADMIN." : nil
        return KilnError(.engineFailed, "Could not \(action): \(reason)\(detail).", hint: hint)
    }
}

/// An open file descriptor, closed with its last reference.
final class Descriptor: Sendable {
    let number: CInt

    init(_ number: CInt) { self.number = number }

    deinit { close(number) }
}
